//! Closed batches beside the windows of other callers.

use std::time::Duration;

use super::super::{AdmissionSettings, BatcherSettings, Entrance, Request};
use super::*;
use crate::inference::fake::{FakeFactory, Gate};
use crate::model::manifest::Markers;

fn batcher(factory: &FakeFactory) -> Batcher {
    let settings = BatcherSettings {
        model: "fake@1".into(),
        markers: Markers { begin: 101, end: 102, pad: 0 },
        workers: 1,
        batch_tokens: Some(64),
        admission: AdmissionSettings { capacity_tokens: 1000, overload_delay: Duration::ZERO },
        cache_bytes: 1 << 20,
    };
    Batcher::spawn(factory, settings).unwrap()
}

fn window(id: u32) -> Request {
    Request { ids: [id, id].into(), lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_batch_runs_as_it_is_among_windows_of_the_same_length() {
    let gate = Gate::closed();
    gate.open();
    let factory = FakeFactory { gate: Some(gate.clone()), ..FakeFactory::new(1, 1) };
    let batcher = batcher(&factory);
    gate.shut();
    let before = factory.log.shapes().len();
    let closed = |rows: Vec<Vec<u32>>| batcher.submit_closed(rows, Lane::Bulk);
    let mut calls = (
        std::pin::pin!(batcher.submit(window(1))),
        std::pin::pin!(closed(vec![vec![5, 6], vec![7], vec![5, 6]])),
        std::pin::pin!(batcher.submit(window(2))),
        std::pin::pin!(closed(vec![vec![8, 9]])),
    );
    assert!(futures_util::poll!(calls.0.as_mut()).is_pending());
    assert!(futures_util::poll!(calls.1.as_mut()).is_pending());
    assert!(futures_util::poll!(calls.2.as_mut()).is_pending());
    assert!(futures_util::poll!(calls.3.as_mut()).is_pending());
    gate.open();
    let (_, three, _, one) = tokio::join!(calls.0, calls.1, calls.2, calls.3);
    let three: Vec<usize> = three.unwrap().into_iter().map(|o| o.unwrap().tokens).collect();
    assert_eq!((three, one.unwrap().len()), (vec![2, 1, 2], 1));
    let rows: Vec<usize> = factory.log.shapes()[before..].iter().map(|(rows, _)| *rows).collect();
    // The worker may have taken the first window before the others came.
    assert!(rows.contains(&3) && rows.iter().sum::<usize>() == 6, "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_fails_fails_alone_and_a_caller_that_left_takes_its_batch_along() {
    let factory = FakeFactory { poison: Some(13), ..FakeFactory::new(1, 1) };
    let batcher = batcher(&factory);
    let results = batcher.submit_closed(vec![vec![5], vec![13], vec![7]], Lane::Bulk).await.unwrap();
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let mut batches = ClosedBatches::default();
    let (caller, answer) = oneshot::channel();
    batches.0.insert(4, ClosedBatch { rows: vec![vec![1]], caller });
    assert_eq!((batches.is_live(4), batches.is_live(5)), (Some(true), None));
    drop(answer);
    assert_eq!((batches.is_live(4), batches.holds(4)), (Some(false), false));
}
