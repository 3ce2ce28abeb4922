//! The life of jobs, without any: what is next, what is refused, what is forgotten, and what no sequence of events breaks.

use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds { concurrent: 1, queued: 3, kept: 2, keep: Duration::from_millis(100) };

fn wanted(id: &str) -> Wanted {
    let output = format!("/data/{id}.csv");
    let spec = Spec { input: "/data/in.csv".into(), output: output.clone(), ..Spec::default() };
    Wanted { id: id.into(), spec, targets: vec![output], ..Wanted::default() }
}

fn keyed(id: &str, key: &str) -> Wanted {
    Wanted { idempotency_key: key.into(), ..wanted(id) }
}

fn ids(jobs: &[Arc<Record>]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

#[test]
fn jobs_run_in_their_order_and_no_more_than_allowed() {
    let mut board = Board::new(Bounds { concurrent: 2, ..BOUNDS });
    for id in ["a", "b", "c"] {
        board.create(wanted(id), 1).unwrap();
    }
    assert_eq!(board.next(5).unwrap().id, "a");
    let second = board.next(6).unwrap();
    assert_eq!((second.id.as_str(), second.state, second.started_ms), ("b", State::Running, Some(6)));
    assert_eq!(board.next(7), None);
    let ended = board.end("a", Ended::Succeeded, 8).unwrap();
    assert_eq!((ended.state, ended.finished_ms), (State::Succeeded, Some(8)));
    assert_eq!(board.next(9).unwrap().id, "c");
    assert_eq!(ids(&board.list(Some(State::Running), None, 9)), ["c", "b"]);
}

#[test]
fn a_full_queue_refuses_with_a_retry_time_and_a_run_makes_room() {
    let mut board = Board::new(BOUNDS);
    for id in ["a", "b", "c"] {
        board.create(wanted(id), 1).unwrap();
    }
    let error = board.create(wanted("d"), 1).unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Overloaded, Some(RETRY)));
    assert!(error.public().contains("jobs.queued"), "{error}");
    board.next(2).unwrap();
    board.create(wanted("d"), 3).unwrap();
}

#[test]
fn the_same_key_finds_the_first_job_and_another_request_is_told_what_differs() {
    let mut board = Board::new(BOUNDS);
    let made = board.create(keyed("a", "monday"), 1).unwrap();
    assert_eq!(board.made_before("monday", &made.spec).unwrap().unwrap().id, "a");
    assert_eq!(board.made_before("tuesday", &made.spec).unwrap(), None);
    assert_eq!(board.made_before("", &made.spec).unwrap(), None);
    let other = Spec { language: Some("en".into()), ..made.spec.clone() };
    let error = board.made_before("monday", &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.public().contains("spec.language"), "{error}");
    // Also when it has ended, until it is forgotten.
    board.next(2).unwrap();
    board.end("a", Ended::Succeeded, 3).unwrap();
    assert!(board.made_before("monday", &made.spec).unwrap().is_some());
    assert_eq!(board.prune(104), ["a"]);
    assert_eq!(board.made_before("monday", &made.spec).unwrap(), None);
}

#[test]
fn two_unfinished_jobs_never_write_the_same_file() {
    let mut board = Board::new(BOUNDS);
    board.create(wanted("a"), 1).unwrap();
    let same = || Wanted { id: "b".into(), ..wanted("a") };
    let error = board.create(same(), 2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.public().contains("job a"), "{error}");
    board.cancel("a", 3).unwrap();
    board.create(same(), 4).unwrap();
}

#[test]
fn a_cancelled_job_ends_at_once_when_it_waits_and_else_when_it_has_stopped() {
    let mut board = Board::new(BOUNDS);
    board.create(wanted("a"), 1).unwrap();
    board.create(wanted("b"), 1).unwrap();
    board.next(2).unwrap();
    assert_eq!(board.cancel("b", 3).unwrap().state, State::Cancelled);
    let running = board.cancel("a", 4).unwrap();
    assert_eq!((running.state, running.cancelling), (State::Running, true));
    assert_eq!(board.end("a", Ended::Stopped, 5).unwrap().state, State::Cancelled);
    // What has ended stays as it is.
    assert_eq!(board.cancel("a", 9).unwrap().finished_ms, Some(5));
    assert_eq!(board.cancel("nobody", 9).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(board.next(10), None);
}

#[test]
fn after_a_restart_what_was_running_goes_on_first_and_what_was_to_end_has_ended() {
    let mut before = Board::new(Bounds { concurrent: 2, ..BOUNDS });
    for id in ["a", "b", "c"] {
        before.create(wanted(id), 1).unwrap();
    }
    before.next(2).unwrap();
    before.next(2).unwrap();
    before.cancel("a", 3).unwrap();
    let stopped = before.end("b", Ended::Stopped, 4).unwrap();
    assert_eq!((stopped.state, stopped.finished_ms), (State::Running, None));
    let mut after = Board::new(BOUNDS);
    // In any order: files have none.
    for record in before.list(None, None, 9) {
        after.restore((*record).clone(), 50);
    }
    assert_eq!(after.get("a").unwrap().state, State::Cancelled);
    let next = after.next(51).unwrap();
    assert_eq!((next.id.as_str(), next.started_ms), ("b", Some(2)));
    assert_eq!(after.create(wanted("d"), 52).unwrap().sequence, 4);
}

#[test]
fn ended_jobs_are_kept_for_a_time_and_up_to_a_number() {
    let mut board = Board::new(Bounds { queued: 9, ..BOUNDS });
    for (id, at) in [("a", 10), ("b", 20), ("c", 30)] {
        board.create(wanted(id), 1).unwrap();
        board.next(2).unwrap();
        board.end(id, Ended::Succeeded, at).unwrap();
    }
    board.create(wanted("d"), 1).unwrap();
    assert_eq!(board.prune(31), ["a"]);
    assert_eq!(board.prune(121), ["b"]);
    assert_eq!(board.prune(131), ["c"]);
    assert_eq!(board.prune(i64::MAX), [""; 0]);
    assert_eq!(ids(&board.list(None, None, 9)), ["d"]);
}

#[test]
fn a_list_goes_on_where_the_page_before_has_ended() {
    let mut board = Board::new(Bounds { queued: 9, ..BOUNDS });
    for id in ["a", "b", "c", "d"] {
        board.create(wanted(id), 1).unwrap();
    }
    let first = board.list(None, None, 2);
    assert_eq!(ids(&first), ["d", "c"]);
    board.create(wanted("e"), 2).unwrap();
    assert_eq!(ids(&board.list(None, Some(first[1].sequence), 2)), ["b", "a"]);
}

#[derive(Debug, Clone)]
enum Event {
    Create(u8),
    Next,
    End(u8, u8),
    Cancel(u8),
    Prune,
    Restart,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0u8..12).prop_map(Event::Create),
        3 => Just(Event::Next),
        2 => (0u8..12, 0u8..3).prop_map(|(job, how)| Event::End(job, how)),
        1 => (0u8..12).prop_map(Event::Cancel),
        1 => Just(Event::Prune),
        1 => Just(Event::Restart),
    ];
    prop::collection::vec(event, 0..60)
}

fn failure() -> Failure {
    Failure { kind: ErrorKind::NotFound, message: "gone".into(), field: String::new() }
}

/// Lets something happen at a moment.
fn happen(board: Board, bounds: Bounds, event: &Event, now: i64) -> Board {
    let mut board = board;
    match event {
        Event::Create(n) if board.get(&n.to_string()).is_err() => {
            let _ = board.create(keyed(&n.to_string(), &n.to_string()), now);
        }
        Event::Create(_) => {}
        Event::Next => drop(board.next(now)),
        Event::End(n, how) => {
            let how = [Ended::Succeeded, Ended::Failed(failure()), Ended::Stopped][usize::from(*how)].clone();
            board.end(&n.to_string(), how, now);
        }
        Event::Cancel(n) => drop(board.cancel(&n.to_string(), now)),
        Event::Prune => drop(board.prune(now)),
        Event::Restart => {
            let mut next = Board::new(bounds);
            board.list(None, None, 99).iter().for_each(|job| next.restore((**job).clone(), now));
            board = next;
        }
    }
    board
}

proptest! {
    #[test]
    fn whatever_happens_the_bounds_hold_and_an_end_is_an_end(events in events(), concurrent in 1usize..3) {
        let bounds = Bounds { concurrent, ..BOUNDS };
        let mut board = Board::new(bounds);
        let mut ended: HashMap<(String, u64), State> = HashMap::new();
        for (event, now) in events.iter().zip(1i64..) {
            board = happen(board, bounds, event, now * 10);
            let jobs = board.list(None, None, 99);
            // What is forgotten may come again: after a restart, even under the number that the latest one had.
            ended.retain(|(id, sequence), _| jobs.iter().any(|job| job.id == *id && job.sequence == *sequence));
            prop_assert!(board.active.len() <= concurrent);
            let queued = jobs.iter().filter(|job| job.state == State::Queued).count();
            prop_assert!(queued <= bounds.queued);
            for job in &jobs {
                prop_assert_eq!(job.finished_ms.is_some(), job.state.is_final());
                prop_assert_eq!(job.failure.is_some(), job.state == State::Failed);
                prop_assert!(job.started_ms.is_some() || !matches!(job.state, State::Running | State::Succeeded));
                let at = (job.id.clone(), job.sequence);
                if let Some(before) = ended.get(&at) {
                    prop_assert_eq!(*before, job.state);
                } else if job.state.is_final() {
                    ended.insert(at, job.state);
                }
            }
            prop_assert_eq!(board.sequences.len(), jobs.len());
            prop_assert_eq!(board.keys.len(), jobs.len());
        }
        // Everything comes to its turn.
        for now in 10_000..10_200 {
            while let Some(job) = board.next(now) {
                board.end(&job.id, Ended::Succeeded, now);
            }
            // What this process had begun.
            let active: Vec<u64> = board.active.iter().copied().collect();
            for sequence in active {
                let id = board.jobs[&sequence].id.clone();
                board.end(&id, Ended::Stopped, now);
            }
        }
        prop_assert_eq!(board.waiting().count(), 0);
    }
}
