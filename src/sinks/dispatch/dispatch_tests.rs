//! The loop over an outbox and a sink that are played: paused time, no network.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::sinks::Failure;
use crate::storage::{DeadFilter, Delivery, OutboxEvent, Outcome};

/// An event of the played outbox.
#[derive(Clone)]
struct Row {
    delivery: Delivery,
    due_ms: i64,
    leased_until_ms: i64,
    done: Option<Outcome>,
}

/// Keeps the promises of the port, in memory.
#[derive(Default)]
struct Played {
    rows: Mutex<Vec<Row>>,
    broken: AtomicBool,
}

fn event(sequence: u64, customer: &str) -> Delivery {
    let event = OutboxEvent {
        id: format!("sig_{sequence}"),
        sink: "s".into(),
        kind: "nps_conflict".into(),
        at_ms: 0,
        body: "{}".into(),
    };
    Delivery { sequence, tenant: String::new(), customer: customer.into(), event, attempts: 0, error: None }
}

impl Played {
    fn with(customers: &[&str]) -> Arc<Self> {
        let played = Self::default();
        customers.iter().for_each(|customer| played.add(customer));
        Arc::new(played)
    }

    fn add(&self, customer: &str) {
        let mut rows = self.rows.lock();
        let delivery = event(rows.len() as u64 + 1, customer);
        rows.push(Row { delivery, due_ms: 0, leased_until_ms: 0, done: None });
    }

    fn outcome(&self, sequence: usize) -> Option<Outcome> {
        self.rows.lock()[sequence - 1].done.clone()
    }

    fn waiting(&self) -> usize {
        self.rows.lock().iter().filter(|row| row.done.is_none()).count()
    }
}

#[async_trait]
impl Outbox for Played {
    async fn claim(&self, _: &str, limit: usize, now_ms: i64, until_ms: i64) -> Result<Vec<Delivery>, Error> {
        if self.broken.swap(false, Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is away"));
        }
        let (mut taken, mut held) = (Vec::new(), HashSet::new());
        for row in self.rows.lock().iter_mut().filter(|row| row.done.is_none()) {
            let customer = row.delivery.customer.clone();
            let due = row.due_ms <= now_ms && row.leased_until_ms <= now_ms && !held.contains(&customer);
            if due && taken.len() < limit {
                row.leased_until_ms = until_ms;
                taken.push(row.delivery.clone());
            } else {
                held.insert(customer);
            }
        }
        Ok(taken)
    }

    async fn settle(&self, outcomes: &[(u64, Outcome)], _: i64) -> Result<(), Error> {
        if self.broken.swap(false, Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is away"));
        }
        let mut rows = self.rows.lock();
        for (sequence, outcome) in outcomes {
            let row = &mut rows[*sequence as usize - 1];
            row.leased_until_ms = 0;
            match outcome {
                Outcome::Retry { at_ms, error } => {
                    row.due_ms = *at_ms;
                    row.delivery.attempts += 1;
                    row.delivery.error = Some(error.clone());
                }
                Outcome::Released => {}
                done => row.done = Some(done.clone()),
            }
        }
        Ok(())
    }

    async fn dead(&self, _: &DeadFilter) -> Result<Vec<Delivery>, Error> {
        Ok(Vec::new())
    }

    async fn replay(&self, _: &DeadFilter, _: i64) -> Result<u64, Error> {
        Ok(0)
    }

    async fn backlog(&self) -> Result<Vec<(String, u64, u64)>, Error> {
        Ok(Vec::new())
    }
}

type Script = Box<dyn Fn(&Delivery, usize) -> Result<(), Failure> + Send + Sync>;

/// Answers by a script, which is told how often it was asked, and writes down what it was sent.
struct Scripted {
    script: Script,
    sent: Mutex<Vec<(u64, String, i64)>>,
    busy: Mutex<HashMap<String, usize>>,
    most: Mutex<usize>,
    takes: Duration,
    began: Instant,
    gate: Semaphore,
}

impl Scripted {
    fn new(script: impl Fn(&Delivery, usize) -> Result<(), Failure> + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            sent: Mutex::default(),
            busy: Mutex::default(),
            most: Mutex::default(),
            takes: Duration::from_millis(10),
            began: Instant::now(),
            gate: Semaphore::new(1_000_000),
        }
    }

    fn sequences(&self) -> Vec<u64> {
        self.sent.lock().iter().map(|(sequence, ..)| *sequence).collect()
    }
}

#[async_trait]
impl Sink for Scripted {
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let asked = {
            let mut sent = self.sent.lock();
            let at = self.began.elapsed().as_millis() as i64;
            sent.push((delivery.sequence, delivery.customer.clone(), at));
            sent.len()
        };
        {
            let mut busy = self.busy.lock();
            let mine = busy.entry(delivery.customer.clone()).or_default();
            *mine += 1;
            assert_eq!(*mine, 1, "two of one customer at the same time");
            let all = busy.values().sum();
            let mut most = self.most.lock();
            *most = (*most).max(all);
        }
        self.gate.acquire().await.unwrap().forget();
        // In paused time, which goes on by itself when nobody has anything to do.
        let _over = tokio::time::timeout(self.takes, std::future::pending::<()>()).await;
        *self.busy.lock().get_mut(&delivery.customer).unwrap() -= 1;
        (self.script)(delivery, asked)
    }
}

struct Running {
    outbox: Arc<Played>,
    sink: Arc<Scripted>,
    wake: Wake,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn run(outbox: &Arc<Played>, sink: Scripted) -> Running {
    run_with(outbox, sink, 3)
}

fn run_with(outbox: &Arc<Played>, sink: Scripted, max_attempts: u32) -> Running {
    let sink = Arc::new(sink);
    let settings = DispatchSettings {
        sink: "s".into(),
        timeout: Duration::from_secs(1),
        max_attempts,
        concurrency: 4,
        seed: 7,
    };
    let began = Instant::now();
    let clock: Clock = Arc::new(move || began.elapsed().as_millis() as i64);
    let (stop, outbox) = (CancellationToken::new(), Arc::clone(outbox));
    let dispatcher = Dispatcher::new(settings, Arc::clone(&sink) as _, Arc::clone(&outbox) as _, clock);
    let wake = Wake::of(std::slice::from_ref(&dispatcher));
    let task = tokio::spawn(dispatcher.run(stop.clone()));
    Running { outbox, sink, wake, stop, task }
}

impl Running {
    /// Waits, in paused time, until nothing waits; fails after a week.
    async fn emptied(&self) {
        let all = async {
            while self.outbox.waiting() > 0 {
                tokio::time::advance(Duration::from_millis(50)).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(7 * 86_400), all).await.unwrap();
    }

    async fn stopped(self) -> (Arc<Played>, Arc<Scripted>) {
        self.stop.cancel();
        self.task.await.unwrap();
        (self.outbox, self.sink)
    }
}

#[tokio::test(start_paused = true)]
async fn customers_go_at_the_same_time_and_one_customer_s_events_one_after_the_other() {
    let customers: Vec<String> = (0..40).map(|n| format!("c{}", n % 10)).collect();
    let outbox = Played::with(&customers.iter().map(String::as_str).collect::<Vec<_>>());
    let running = run(&outbox, Scripted::new(|_, _| Ok(())));
    running.emptied().await;
    let (_, sink) = running.stopped().await;
    assert_eq!(sink.sent.lock().len(), 40);
    assert_eq!(*sink.most.lock(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_before_what_comes_behind_it_and_others_go_on() {
    let outbox = Played::with(&["a", "a", "b", "b"]);
    let fails_once = |d: &Delivery, _| match (d.sequence, d.attempts) {
        (1, 0) => Err(Failure::retry("later")),
        _ => Ok(()),
    };
    let running = run(&outbox, Scripted::new(fails_once));
    running.emptied().await;
    let (_, sink) = running.stopped().await;
    let sent = sink.sequences();
    let of = |customer: &[u64]| sent.iter().copied().filter(|s| customer.contains(s)).collect::<Vec<_>>();
    assert_eq!((of(&[1, 2]), of(&[3, 4])), (vec![1, 1, 2], vec![3, 4]));
}

#[tokio::test(start_paused = true)]
async fn after_the_last_attempt_or_a_final_refusal_an_event_is_dead_and_the_next_goes_on() {
    let outbox = Played::with(&["a", "a", "a"]);
    let script = |d: &Delivery, _| match d.sequence {
        1 => Err(Failure::retry("down")),
        2 => Err(Failure::permanent("answered 400")),
        _ => Ok(()),
    };
    let running = run(&outbox, Scripted::new(script));
    running.emptied().await;
    let (outbox, sink) = running.stopped().await;
    assert_eq!(sink.sequences(), [1, 1, 1, 2, 3]);
    let dead = |error: &str| Some(Outcome::Dead { error: error.into() });
    assert_eq!(outbox.outcome(1), dead("given up after 3 attempts: down"));
    assert_eq!(outbox.outcome(2), dead("answered 400"));
    assert_eq!(outbox.outcome(3), Some(Outcome::Delivered));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_takes_too_long_is_tried_again() {
    let outbox = Played::with(&["a"]);
    let sink = Scripted { takes: Duration::from_secs(60), ..Scripted::new(|_, _| Ok(())) };
    let running = run(&outbox, sink);
    while outbox.rows.lock()[0].delivery.attempts == 0 {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let row = outbox.rows.lock()[0].clone();
    assert_eq!(row.delivery.error.as_deref(), Some("took longer than 1000 ms"));
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_when_a_whole_delivery_no_longer_fits_into_the_lease() {
    let outbox = Played::with(&["a"; 64]);
    // At 0.9 s each, a lease of 4 · 1 s + 15 s begins upon four of them, and gives the rest back.
    let sink = Scripted { takes: Duration::from_millis(900), ..Scripted::new(|_, _| Ok(())) };
    let running = run(&outbox, sink);
    running.emptied().await;
    let (_, sink) = running.stopped().await;
    assert_eq!(sink.sequences(), (1..=64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_down_is_asked_seldom_and_gets_everything_when_it_is_back() {
    let customers: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
    let outbox = Played::with(&customers.iter().map(String::as_str).collect::<Vec<_>>());
    let back = Instant::now() + Duration::from_secs(600);
    let script = move |_: &Delivery, _| {
        if Instant::now() < back { Err(Failure::retry("down")) } else { Ok(()) }
    };
    let running = run_with(&outbox, Scripted::new(script), 20);
    running.emptied().await;
    let (outbox, sink) = running.stopped().await;
    assert!((1..=200).all(|n| outbox.outcome(n) == Some(Outcome::Delivered)));
    let asked_while_down = sink.sent.lock().len() - 200;
    assert!(asked_while_down < 25, "{asked_while_down}");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_says_when_to_come_back_is_asked_then_and_not_before() {
    let outbox = Played::with(&["a", "b"]);
    let script = |_: &Delivery, asked| match asked {
        1 | 2 => Err(Failure::Retry { error: "answered 429".into(), after: Some(Duration::from_secs(60)) }),
        _ => Ok(()),
    };
    let running = run(&outbox, Scripted::new(script));
    running.emptied().await;
    let (_, sink) = running.stopped().await;
    let times: Vec<i64> = sink.sent.lock().iter().map(|(.., at)| *at).collect();
    assert_eq!(times.len(), 4);
    assert!(times[2..].iter().all(|at| (60_000..70_000).contains(at)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_gone_is_left_alone_and_its_events_stay() {
    let outbox = Played::with(&["a", "a", "b"]);
    let running = run(&outbox, Scripted::new(|_, _| Err(Failure::Gone { error: "answered 410".into() })));
    running.task.await.unwrap();
    let rows = running.outbox.rows.lock();
    assert!(
        rows.iter().all(|row| row.done.is_none() && row.leased_until_ms == 0 && row.delivery.attempts == 0)
    );
    assert!(running.sink.sent.lock().len() <= 2);
}

#[tokio::test(start_paused = true)]
async fn news_leave_at_once_when_the_loop_is_woken() {
    let outbox = Played::with(&[]);
    let running = run(&outbox, Scripted::new(|_, _| Ok(())));
    // Long enough for the loop to look only every five seconds.
    tokio::time::advance(Duration::from_secs(120)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    outbox.add("a");
    let added = Instant::now();
    running.wake.wake();
    while outbox.waiting() > 0 {
        tokio::time::advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
    assert!(added.elapsed() < Duration::from_millis(200), "{:?}", added.elapsed());
    running.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_loses_nothing() {
    let outbox = Played::with(&["a", "b"]);
    outbox.broken.store(true, Ordering::Relaxed);
    let running = run(&outbox, Scripted::new(|_, _| Ok(())));
    while running.sink.sent.lock().is_empty() {
        tokio::time::advance(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
    }
    // And once more, while the first outcomes are settled.
    outbox.broken.store(true, Ordering::Relaxed);
    running.emptied().await;
    let (_, sink) = running.stopped().await;
    assert_eq!(sink.sent.lock().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn at_the_stop_what_is_on_its_way_ends_and_the_rest_is_given_back() {
    let outbox = Played::with(&["a", "a", "a"]);
    let sink = Scripted { gate: Semaphore::new(0), ..Scripted::new(|_, _| Ok(())) };
    let running = run(&outbox, sink);
    while running.sink.sent.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    running.stop.cancel();
    running.sink.gate.add_permits(10);
    let (outbox, sink) = running.stopped().await;
    assert_eq!(sink.sequences(), [1]);
    assert_eq!(outbox.outcome(1), Some(Outcome::Delivered));
    let rows = outbox.rows.lock();
    assert!(rows[1..].iter().all(|row| row.done.is_none() && row.leased_until_ms == 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_each_customer_s_events_arrive_in_their_order_or_die_in_it(
        customers in prop::collection::vec(0..5u8, 1..40),
        fate in prop::collection::vec(0..10u8, 200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let names: Vec<String> = customers.iter().map(|c| format!("c{c}")).collect();
            let outbox = Played::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
            let script = move |_: &Delivery, asked: usize| match fate[asked % fate.len()] {
                0..=3 => Err(Failure::retry("down")),
                4 => Err(Failure::permanent("answered 400")),
                _ => Ok(()),
            };
            let running = run(&outbox, Scripted::new(script));
            running.emptied().await;
            let (_, sink) = running.stopped().await;
            let sent = sink.sent.lock();
            for name in &names {
                let mine: Vec<u64> = sent.iter().filter(|s| s.1 == *name).map(|s| s.0).collect();
                assert!(mine.is_sorted(), "{name}: {mine:?}");
                for sequence in &mine {
                    assert!(mine.iter().filter(|s| *s == sequence).count() <= 3);
                }
            }
        });
    }
}
