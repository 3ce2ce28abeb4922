//! The laws of the queue.

use std::collections::HashMap;

use super::*;
use proptest::prelude::*;

/// With an overhead of a short message, and padding that costs as much as text.
fn limits(budget: usize) -> BatchLimits {
    BatchLimits { budget, overhead: 12, padding: 1.0 }
}

fn lane(bulk: bool) -> Lane {
    if bulk { Lane::Bulk } else { Lane::Interactive }
}

fn filled(items: &[(bool, usize)]) -> (Queue, HashMap<u64, (Lane, usize)>) {
    let mut queue = Queue::default();
    let mut known = HashMap::new();
    for (ticket, (bulk, tokens)) in items.iter().enumerate() {
        queue.push(lane(*bulk), ticket as u64, *tokens);
        known.insert(ticket as u64, (lane(*bulk), *tokens));
    }
    (queue, known)
}

#[test]
fn neighbours_of_similar_length_join_the_oldest_and_others_wait() {
    let (mut queue, _) = filled(&[(false, 20), (false, 200), (false, 22), (false, 19), (false, 100)]);
    let mut first = queue.next_batch(limits(256), |_| true);
    first.sort_unstable();
    assert_eq!(first, [0, 2, 3]);
    assert_eq!(queue.next_batch(limits(256), |_| true), [1]);
    assert_eq!(queue.next_batch(limits(256), |_| true), [4]);
}

#[test]
fn padding_is_accepted_as_long_as_it_serves_more_per_time() {
    let batch_of = |tokens: &[usize], overhead| {
        let items: Vec<(bool, usize)> = tokens.iter().map(|t| (false, *t)).collect();
        let mut batch =
            filled(&items).0.next_batch(BatchLimits { budget: 512, overhead, padding: 1.0 }, |_| true);
        batch.sort_unstable();
        batch
    };
    // 30 / (10 + 30) = .75 alone; 50 / (10 + 60) = .71 with the second: cheap batches stay even.
    assert_eq!(batch_of(&[30, 20], 10), [0]);
    // 30 / (40 + 30) = .43 alone; 50 / (40 + 60) = .50 with the second: dear batches fill up.
    assert_eq!(batch_of(&[30, 20], 40), [0, 1]);
    assert_eq!(batch_of(&[20, 30], 40), [0, 1]);
}

#[test]
fn where_padding_is_cheap_lengths_mix() {
    let items = [(false, 20), (false, 200), (false, 22), (false, 40)];
    let batch_of = |padding| {
        let mut batch = filled(&items).0.next_batch(BatchLimits { padding, ..limits(512) }, |_| true);
        batch.sort_unstable();
        batch
    };
    assert_eq!(batch_of(1.0), [0, 2]);
    assert_eq!(batch_of(0.2), [0, 2, 3]);
    assert_eq!(batch_of(0.0), [0, 1, 2, 3]);
}

#[test]
fn both_lanes_fill_one_batch() {
    let (mut queue, _) = filled(&[(false, 20), (true, 20), (true, 20), (true, 90)]);
    assert_eq!(queue.next_batch(limits(256), |_| true).len(), 3);
}

#[test]
fn a_closed_batch_takes_nobody_along_and_joins_nobody() {
    let mut queue = Queue::default();
    for (ticket, lane) in [(0, Lane::Bulk), (2, Lane::Bulk), (4, Lane::Interactive)] {
        queue.push(lane, ticket, 20);
        queue.push_closed(lane, ticket + 1, 20);
    }
    let mut batches: Vec<Vec<u64>> = (0..4).map(|_| queue.next_batch(limits(256), |_| true)).collect();
    batches.iter_mut().for_each(|batch| batch.sort_unstable());
    batches.sort();
    assert_eq!(batches, [vec![0, 2, 4], vec![1], vec![3], vec![5]]);
    assert!(queue.is_empty() && queue.tokens(Lane::Bulk) == 0);
}

#[test]
fn an_item_larger_than_the_budget_leaves_alone() {
    let (mut queue, _) = filled(&[(false, 300), (false, 300)]);
    assert_eq!(queue.next_batch(limits(256), |_| true), [0]);
    assert_eq!(queue.next_batch(limits(256), |_| true), [1]);
}

#[test]
fn a_lane_that_slept_is_not_paid_for_it() {
    let mut queue = Queue::default();
    for ticket in 0..50 {
        queue.push(Lane::Interactive, ticket, 100);
        queue.next_batch(limits(100), |_| true);
    }
    // Bulk arrives after a long interactive day: it gets its fifth, not the whole afternoon.
    for ticket in 0..50 {
        queue.push(Lane::Interactive, 100 + ticket, 100);
        queue.push(Lane::Bulk, 200 + ticket, 100);
    }
    let first: Vec<u64> = (0..20).flat_map(|_| queue.next_batch(limits(100), |_| true)).collect();
    let bulk = first.iter().filter(|t| **t >= 200).count();
    assert!((3..=5).contains(&bulk), "{bulk} of 20");
}

proptest! {
    #[test]
    fn each_item_leaves_once_and_no_batch_exceeds_the_budget(
        items in prop::collection::vec((any::<bool>(), 3usize..300), 0..200),
        budget in 16usize..600,
        padding in 0.0..=1.0f64,
    ) {
        let limits = BatchLimits { padding, ..limits(budget) };
        let (mut queue, known) = filled(&items);
        let mut seen = Vec::new();
        loop {
            let batch = queue.next_batch(limits, |_| true);
            if batch.is_empty() {
                break;
            }
            let longest = batch.iter().map(|t| known[t].1).max().unwrap();
            let tokens: usize = batch.iter().map(|t| known[t].1).sum();
            let cost = tokens as f64 + padding * (longest * batch.len() - tokens) as f64;
            prop_assert!(batch.len() == 1 || cost <= budget as f64);
            seen.extend(batch);
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..items.len() as u64).collect::<Vec<_>>());
        prop_assert!(queue.is_empty());
        prop_assert_eq!(queue.tokens(Lane::Interactive) + queue.tokens(Lane::Bulk), 0);
    }

    #[test]
    fn no_item_starves_whatever_arrives_behind_it(
        items in prop::collection::vec((any::<bool>(), 3usize..300), 1..60),
        late in prop::collection::vec((any::<bool>(), 3usize..300), 400),
    ) {
        let (mut queue, known) = filled(&items);
        let mut waiting: Vec<u64> = known.keys().copied().collect();
        // Every batch, two new items arrive behind: the old ones must still all leave. Interactive pays a fourth of
        // what bulk pays per token, and the longest item is a hundred times the shortest.
        let bound = items.len() * 2 + 4 * 300 * items.len() / 3 + 5;
        let mut batches = 0;
        let mut fresh = late.iter().cycle();
        while !waiting.is_empty() {
            for n in 0..2 {
                let (bulk, tokens) = fresh.next().unwrap();
                queue.push(lane(*bulk), 10_000 + batches as u64 * 2 + n, *tokens);
            }
            let batch = queue.next_batch(limits(256), |_| true);
            waiting.retain(|t| !batch.contains(t));
            batches += 1;
            prop_assert!(batches <= bound, "still waiting: {:?}", waiting);
        }
    }

    #[test]
    fn while_both_lanes_wait_each_gets_its_share(tokens in 3usize..200, budget in 200usize..600) {
        let mut queue = Queue::default();
        for ticket in 0..3000u64 {
            queue.push(if ticket % 2 == 0 { Lane::Interactive } else { Lane::Bulk }, ticket, tokens);
        }
        let mut chosen = [0usize; 2];
        for _ in 0..100 {
            let batch = queue.next_batch(limits(budget), |_| true);
            chosen[(batch[0] % 2) as usize] += 1;
            if queue.len(Lane::Interactive) == 0 || queue.len(Lane::Bulk) == 0 {
                return Ok(());
            }
        }
        prop_assert!((78..=82).contains(&chosen[0]), "{chosen:?}");
    }

    #[test]
    fn dead_tickets_never_reach_a_batch(items in prop::collection::vec((any::<bool>(), 3usize..100), 0..100), sweep: bool) {
        let (mut queue, _) = filled(&items);
        let live = |ticket: u64| ticket.is_multiple_of(3);
        if sweep {
            queue.sweep(live);
        }
        let mut seen = Vec::new();
        loop {
            let batch = queue.next_batch(limits(256), live);
            if batch.is_empty() {
                break;
            }
            seen.extend(batch);
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..items.len() as u64).filter(|t| live(*t)).collect::<Vec<_>>());
    }

    #[test]
    fn a_cut_takes_the_newest_and_leaves_at_most_the_limit(items in prop::collection::vec(3usize..100, 0..80), limit in 0usize..2000) {
        let mut queue = Queue::default();
        for (ticket, tokens) in items.iter().enumerate() {
            queue.push(Lane::Interactive, ticket as u64, *tokens);
        }
        let cut = queue.cut(Lane::Interactive, limit, |_| true);
        prop_assert!(queue.tokens(Lane::Interactive) <= limit);
        let expected: Vec<u64> = (0..items.len() as u64).rev().take(cut.len()).collect();
        prop_assert_eq!(cut, expected);
    }

    #[test]
    fn a_cut_spares_what_may_not_go(items in prop::collection::vec(3usize..100, 0..80), limit in 0usize..2000) {
        let mut queue = Queue::default();
        for (ticket, tokens) in items.iter().enumerate() {
            queue.push(Lane::Interactive, ticket as u64, *tokens);
        }
        let cut = queue.cut(Lane::Interactive, limit, |ticket| ticket.is_multiple_of(2));
        prop_assert!(cut.iter().all(|ticket| ticket.is_multiple_of(2)));
        let kept: usize = items.iter().enumerate().filter(|(n, _)| !cut.contains(&(*n as u64))).map(|(_, t)| t).sum();
        prop_assert_eq!(queue.tokens(Lane::Interactive), kept);
    }
}
