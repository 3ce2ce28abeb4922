//! The batcher against a deterministic backend: answers, coalescing, cache, deadlines, overload, end.

use std::time::Duration;

use super::*;
use crate::inference::fake::{FakeFactory, Gate};

const MARKERS: Markers = Markers { begin: 101, end: 102, pad: 0 };

fn settings() -> BatcherSettings {
    BatcherSettings {
        model: "fake@1".into(),
        markers: MARKERS,
        workers: 1,
        batch_tokens: Some(64),
        admission: AdmissionSettings { capacity_tokens: 1000, overload_delay: Duration::ZERO },
        cache_bytes: 0,
    }
}

fn request(ids: &[u32]) -> Request {
    Request { ids: ids.into(), lane: Lane::Interactive, entrance: Entrance::Refuse, deadline: None }
}

fn batcher(factory: &FakeFactory, settings: BatcherSettings) -> Batcher {
    Batcher::spawn(factory, settings).unwrap()
}

/// A batcher whose workers stand still until the gate opens. Warm-up must pass the gate too: it is opened for it and shut
/// behind it.
fn blocked(mut factory: FakeFactory, settings: BatcherSettings) -> (Batcher, Gate, FakeFactory) {
    let gate = Gate::closed();
    gate.open();
    factory.gate = Some(gate.clone());
    let batcher = batcher(&factory, settings);
    gate.shut();
    (batcher, gate, factory)
}

/// Polls submissions until all are in flight.
async fn settle(batcher: &Batcher, windows: usize) {
    while batcher.in_flight() < windows {
        tokio::task::yield_now().await;
    }
}

fn expected(ids: &[u32], label: usize) -> f32 {
    ids.iter().map(|id| FakeFactory::term(*id, label)).sum::<f32>() / ids.len() as f32
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_callers_gets_its_own_answer() {
    let batcher = Arc::new(batcher(&FakeFactory::new(2, 1), BatcherSettings { workers: 2, ..settings() }));
    let calls: Vec<_> = (0..300u32)
        .map(|n| {
            let batcher = Arc::clone(&batcher);
            let ids: Vec<u32> = (0..n % 30 + 1).map(|k| n * 31 + k).collect();
            tokio::spawn(async move {
                let request = Request { entrance: Entrance::Wait, ..request(&ids) };
                (batcher.submit(request).await.unwrap(), ids)
            })
        })
        .collect();
    for call in calls {
        let (answer, ids) = call.await.unwrap();
        assert_eq!(answer.output.tokens, ids.len());
        assert!((answer.output.logits[1] - expected(&ids, 1)).abs() < 1e-4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_window_in_flight_runs_once_and_answers_both() {
    let (batcher, gate, factory) = blocked(FakeFactory::new(1, 1), settings());
    let before = factory.log.windows();
    let mut first = std::pin::pin!(batcher.submit(request(&[5, 6])));
    let mut second = std::pin::pin!(batcher.submit(request(&[5, 6])));
    assert!(futures_util::poll!(first.as_mut()).is_pending());
    assert!(futures_util::poll!(second.as_mut()).is_pending());
    gate.open();
    let (a, b) = tokio::join!(first, second);
    assert_eq!(a.unwrap().output, b.unwrap().output);
    assert_eq!(factory.log.windows() - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_window_does_not_reach_the_network_again() {
    let factory = FakeFactory::new(1, 1);
    let batcher = batcher(&factory, BatcherSettings { cache_bytes: 1 << 20, ..settings() });
    let first = batcher.submit(request(&[5, 6])).await.unwrap();
    let before = factory.log.windows();
    let second = batcher.submit(request(&[5, 6])).await.unwrap();
    assert!(!first.cached && second.cached);
    assert_eq!(first.output, second.output);
    assert_eq!(factory.log.windows(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_went_away_costs_the_network_nothing() {
    let (batcher, gate, factory) = blocked(FakeFactory::new(1, 1), settings());
    let before = factory.log.windows();
    {
        let mut running = std::pin::pin!(batcher.submit(request(&[1])));
        let mut waiting = std::pin::pin!(batcher.submit(request(&[2])));
        // Both are queued; the first may be at the worker already. Then both callers go.
        assert!(futures_util::poll!(running.as_mut()).is_pending());
        settle(&batcher, 1).await;
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    }
    let last = batcher.submit(request(&[3]));
    gate.open();
    last.await.unwrap();
    // The worker may have taken the first before its caller left; the second was dropped in the queue.
    assert!(factory.log.windows() - before <= 2, "{}", factory.log.windows() - before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_in_the_queue_is_answered_as_such() {
    let (batcher, gate, _) = blocked(FakeFactory::new(1, 1), settings());
    let deadline = Some(Instant::now() + Duration::from_millis(30));
    let error = batcher.submit(Request { deadline, ..request(&[1]) }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    gate.open();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_with_a_retry_time_and_forgets_nobody() {
    let (batcher, gate, _) = blocked(FakeFactory::new(1, 1), settings());
    let (mut waiting, mut refused) = (Vec::new(), 0);
    // 12 tokens each, and 1000 fit: most are turned away while the worker stands still.
    for n in 0..200u32 {
        let mut call = Box::pin(batcher.submit(request(&[n + 1; 10])));
        match futures_util::poll!(call.as_mut()) {
            std::task::Poll::Pending => waiting.push(call),
            std::task::Poll::Ready(result) => {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Overloaded);
                assert!(error.retry_after().is_some());
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    gate.open();
    let results = futures_util::future::join_all(waiting).await;
    let answered = results.iter().filter(|r| r.is_ok()).count();
    // What was queued when it overflowed was cut, and told so.
    let cut = results.iter().filter(|r| r.as_ref().is_err_and(|e| e.kind() == ErrorKind::Overloaded)).count();
    assert!(answered > 0);
    assert_eq!(answered + cut + refused, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_waits_for_room_is_slowed_down_and_never_refused() {
    let factory = FakeFactory::new(1, 1);
    let batcher = Arc::new(batcher(&factory, settings()));
    let calls: Vec<_> = (0..500u32)
        .map(|n| {
            let batcher = Arc::clone(&batcher);
            let request = Request { entrance: Entrance::Wait, lane: Lane::Bulk, ..request(&[n + 1; 10]) };
            tokio::spawn(async move { batcher.submit(request).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_window_fails_alone() {
    let (batcher, gate, _) = blocked(FakeFactory { poison: Some(666), ..FakeFactory::new(1, 1) }, settings());
    let (blocker, good, bad, other) = tokio::join!(
        batcher.submit(request(&[9, 9, 9])),
        batcher.submit(request(&[1, 2])),
        batcher.submit(request(&[666, 2])),
        async {
            settle(&batcher, 3).await;
            gate.open();
            batcher.submit(request(&[3, 4])).await
        }
    );
    assert!(blocker.is_ok() && good.is_ok() && other.is_ok());
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::Internal);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_was_queued() {
    let (mut batcher, gate, _) = blocked(FakeFactory::new(1, 1), settings());
    let shared = Arc::clone(&batcher.shared);
    let submitted: Vec<_> = {
        let mut calls: Vec<_> = (0..20u32).map(|n| Box::pin(batcher.submit(request(&[n + 1])))).collect();
        for call in &mut calls {
            assert!(futures_util::poll!(call.as_mut()).is_pending());
        }
        gate.open();
        futures_util::future::join_all(calls).await
    };
    assert!(submitted.iter().all(Result::is_ok));
    batcher.stop();
    assert_eq!(shared.state.lock().entries.len(), 0);
    let error = batcher.submit(request(&[1])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
