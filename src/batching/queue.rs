//! The queue as a value: two lanes with a fair share, and late-bound batches. Knows no clock, no lock and no model.
//!
//! Laws (property-tested below): each item leaves once; a batch's padded size stays within the budget unless it is one
//! item alone; an item at place k of its lane leaves within k batches of that lane; while both lanes wait, each
//! gets at least its share.

use std::collections::VecDeque;

/// Which lane an item waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A person is waiting.
    Interactive,
    /// Throughput work.
    Bulk,
}

impl Lane {
    /// Both lanes, in the order of their places.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// Share of the work that the lane gets while the other waits too: 4 to 1.
    fn weight(self) -> u64 {
        match self {
            Self::Interactive => 4,
            Self::Bulk => 1,
        }
    }

    /// Place in arrays that hold something per lane.
    pub fn place(self) -> usize {
        match self {
            Self::Interactive => 0,
            Self::Bulk => 1,
        }
    }

    /// The lane's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }
}

/// Items longer or shorter than the oldest one by more than this are left for another batch: padding would cost more
/// than the fuller batch gains.
const LENGTH_RATIO: f64 = 1.35;
/// How far behind the oldest item neighbours are looked for; bounds the time under the lock.
const LOOK_AHEAD: usize = 256;
/// Virtual time of one token at weight 1; a multiple of both weights keeps the sums exact.
const TICKS: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    ticket: u64,
    tokens: usize,
}

/// The two lanes. Items are tickets; what they stand for is the caller's business.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: [VecDeque<Item>; 2],
    tokens: [usize; 2],
    /// Work done per lane, divided by its weight: the lane that is behind goes next.
    virtual_time: [u64; 2],
}

impl Queue {
    /// Adds an item of `tokens` (markers included) at the end of its lane.
    pub fn push(&mut self, lane: Lane, ticket: u64, tokens: usize) {
        let place = lane.place();
        if self.lanes[place].is_empty() {
            // A lane that was idle must not be paid for the time it slept.
            self.virtual_time[place] = self.virtual_time[place].max(self.virtual_time[1 - place]);
        }
        self.lanes[place].push_back(Item { ticket, tokens });
        self.tokens[place] += tokens;
    }

    /// Tokens waiting in a lane.
    pub fn tokens(&self, lane: Lane) -> usize {
        self.tokens[lane.place()]
    }

    /// Items waiting in a lane.
    pub fn len(&self, lane: Lane) -> usize {
        self.lanes[lane.place()].len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    /// Takes the next batch: the oldest item of the lane that is behind, then its neighbours of similar length, up to
    /// `budget` padded tokens. Tickets that `is_live` denies leave the queue on the way and are not returned.
    pub fn next_batch(&mut self, budget: usize, mut is_live: impl FnMut(u64) -> bool) -> Vec<u64> {
        while let Some(lane) = self.next_lane() {
            let Some(head) = self.pop(lane.place()) else { break };
            if !is_live(head.ticket) {
                continue;
            }
            let mut batch = vec![head];
            for place in [lane.place(), 1 - lane.place()] {
                self.take_neighbours(place, budget, head.tokens, &mut batch, &mut is_live);
            }
            self.charge(lane, &batch);
            return batch.into_iter().map(|i| i.ticket).collect();
        }
        Vec::new()
    }

    /// Removes every ticket that `is_live` denies.
    pub fn sweep(&mut self, mut is_live: impl FnMut(u64) -> bool) {
        for (lane, tokens) in self.lanes.iter_mut().zip(&mut self.tokens) {
            lane.retain(|item| {
                let live = is_live(item.ticket);
                if !live {
                    *tokens -= item.tokens;
                }
                live
            });
        }
    }

    /// Takes the newest items that `may_go` out of a lane until it holds at most `tokens`; returns their tickets.
    pub fn cut(&mut self, lane: Lane, tokens: usize, mut may_go: impl FnMut(u64) -> bool) -> Vec<u64> {
        let place = lane.place();
        let mut left = self.tokens[place];
        let mut cut = Vec::new();
        for item in self.lanes[place].iter().rev() {
            if left <= tokens {
                break;
            }
            if may_go(item.ticket) {
                left -= item.tokens;
                cut.push(item.ticket);
            }
        }
        let gone: std::collections::HashSet<u64> = cut.iter().copied().collect();
        self.lanes[place].retain(|item| !gone.contains(&item.ticket));
        self.tokens[place] = left;
        cut
    }

    fn next_lane(&self) -> Option<Lane> {
        Lane::ALL
            .into_iter()
            .filter(|lane| !self.lanes[lane.place()].is_empty())
            .min_by_key(|lane| self.virtual_time[lane.place()])
    }

    fn pop(&mut self, place: usize) -> Option<Item> {
        let item = self.lanes[place].pop_front()?;
        self.tokens[place] -= item.tokens;
        Some(item)
    }

    /// The lane that chose the batch pays for all of it, so that a lane can't be slowed by its guests.
    fn charge(&mut self, lane: Lane, batch: &[Item]) {
        let longest = batch.iter().map(|i| i.tokens).max().unwrap_or(0);
        let padded = (longest * batch.len()) as u64;
        self.virtual_time[lane.place()] += padded * TICKS / lane.weight();
    }

    fn take_neighbours(
        &mut self,
        place: usize,
        budget: usize,
        head: usize,
        batch: &mut Vec<Item>,
        is_live: &mut impl FnMut(u64) -> bool,
    ) {
        let similar = |tokens: usize| {
            let (short, long) = if tokens < head { (tokens, head) } else { (head, tokens) };
            long as f64 <= short as f64 * LENGTH_RATIO
        };
        let mut near: Vec<(usize, usize, usize)> = self.lanes[place]
            .iter()
            .take(LOOK_AHEAD)
            .enumerate()
            .filter(|(_, item)| similar(item.tokens))
            .map(|(at, item)| (item.tokens.abs_diff(head), at, item.tokens))
            .collect();
        near.sort_unstable();
        let mut longest = batch.iter().map(|i| i.tokens).max().unwrap_or(head);
        let mut room = Vec::new();
        for (_, at, tokens) in near {
            if longest.max(tokens) * (batch.len() + room.len() + 1) > budget {
                break;
            }
            longest = longest.max(tokens);
            room.push(at);
        }
        // From the back, so that the places of the others stay true.
        room.sort_unstable_by(|a, b| b.cmp(a));
        for at in room {
            let Some(item) = self.lanes[place].remove(at) else { continue };
            self.tokens[place] -= item.tokens;
            if is_live(item.ticket) {
                batch.push(item);
            }
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
