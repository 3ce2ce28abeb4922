//! The queue as a value: two lanes with a fair share, and late-bound batches. Knows no clock, no lock and no model.
//!
//! Laws (property-tested below): each item leaves once; a batch's cost stays within the budget unless it is one
//! item alone; an item at place k of its lane leaves within k batches of that lane;
//! while both lanes wait, each gets at least its share.

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

/// What a batch may be, and what it costs; measured at start. Costs are in the time of one token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchLimits {
    /// Most that the tokens of a batch may cost; an item longer than that goes alone.
    pub budget: usize,
    /// What a batch costs beside its tokens.
    pub overhead: usize,
    /// What a token of padding costs: 1 in an ordinary graph, little in one that skips padding but in its attention.
    pub padding: f64,
}

impl BatchLimits {
    /// Cost of `rows` rows that hold `tokens` together and are padded to `longest`.
    fn cost(&self, rows: usize, tokens: usize, longest: usize) -> f64 {
        tokens as f64 + self.padding * (rows * longest - tokens) as f64
    }
}

/// How far behind the oldest item neighbours are looked for; bounds the time under the lock.
const LOOK_AHEAD: usize = 256;
/// Virtual time of one token at weight 1; a multiple of both weights keeps the sums exact.
const TICKS: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    ticket: u64,
    tokens: usize,
    /// A batch of its own: it is neither host nor guest of others.
    closed: bool,
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
        self.add(lane, Item { ticket, tokens, closed: false });
    }

    /// Adds an item that leaves as a batch of its own, for a caller who has made up the batch.
    pub fn push_closed(&mut self, lane: Lane, ticket: u64, tokens: usize) {
        self.add(lane, Item { ticket, tokens, closed: true });
    }

    fn add(&mut self, lane: Lane, item: Item) {
        let place = lane.place();
        if self.lanes[place].is_empty() {
            // A lane that was idle must not be paid for the time it slept.
            self.virtual_time[place] = self.virtual_time[place].max(self.virtual_time[1 - place]);
        }
        self.tokens[place] += item.tokens;
        self.lanes[place].push_back(item);
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

    /// Takes the next batch within `limits`, from the lane that is behind: its oldest item with the neighbours in length that
    /// make the batch do the most useful work per time, filled up with items of the other lane that fit in between. Tickets
    /// that `is_live` denies leave the queue on the way and are not returned.
    pub fn next_batch(&mut self, limits: BatchLimits, mut is_live: impl FnMut(u64) -> bool) -> Vec<u64> {
        while let Some(lane) = self.next_lane() {
            let place = lane.place();
            let (mut near, closed) = self.near(place);
            near.sort_unstable();
            // The oldest item stands at place 0; it leaves with this batch, whatever else does.
            let Some(oldest) = near.iter().position(|(_, at)| *at == 0) else { break };
            let run = best_run(&near, oldest, limits);
            let places: Vec<usize> = near[run].iter().map(|(_, at)| *at).collect();
            let mut batch = self.take(place, places, &mut is_live);
            if batch.is_empty() {
                continue;
            }
            if !closed {
                self.fill_up(1 - place, limits, &mut batch, &mut is_live);
            }
            self.charge(lane, limits, &batch);
            return batch.into_iter().map(|i| i.ticket).collect();
        }
        Vec::new()
    }

    /// Tokens and place of a lane's oldest item and of those that may join it, and whether none may.
    fn near(&self, place: usize) -> (Vec<(usize, usize)>, bool) {
        let closed = self.lanes[place].front().is_some_and(|oldest| oldest.closed);
        let items = self.lanes[place].iter().take(if closed { 1 } else { LOOK_AHEAD }).enumerate();
        (items.filter(|(_, i)| closed || !i.closed).map(|(at, i)| (i.tokens, at)).collect(), closed)
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

    /// The lane that chose the batch pays for all of it, so that a lane can't be slowed by its guests.
    fn charge(&mut self, lane: Lane, limits: BatchLimits, batch: &[Item]) {
        let longest = batch.iter().map(|i| i.tokens).max().unwrap_or(0);
        let tokens = batch.iter().map(|i| i.tokens).sum();
        let cost = limits.cost(batch.len(), tokens, longest).ceil() as u64;
        self.virtual_time[lane.place()] += cost * TICKS / lane.weight();
    }

    /// Adds items of a lane that are no longer than the batch's longest and no shorter than its shortest.
    fn fill_up(
        &mut self,
        place: usize,
        limits: BatchLimits,
        batch: &mut Vec<Item>,
        is_live: &mut impl FnMut(u64) -> bool,
    ) {
        let lengths = || batch.iter().map(|i| i.tokens);
        let (Some(shortest), Some(longest)) = (lengths().min(), lengths().max()) else { return };
        let (mut rows, mut tokens) = (batch.len(), lengths().sum::<usize>());
        let places = self.lanes[place]
            .iter()
            .take(LOOK_AHEAD)
            .enumerate()
            .filter(|(_, item)| !item.closed && (shortest..=longest).contains(&item.tokens))
            .take_while(|(_, item)| {
                (rows, tokens) = (rows + 1, tokens + item.tokens);
                limits.cost(rows, tokens, longest) <= limits.budget as f64
            })
            .map(|(at, _)| at)
            .collect();
        let guests = self.take(place, places, is_live);
        batch.extend(guests);
    }

    /// Takes the items at `places` out of a lane; returns those that live.
    fn take(
        &mut self,
        place: usize,
        mut places: Vec<usize>,
        is_live: &mut impl FnMut(u64) -> bool,
    ) -> Vec<Item> {
        // From the back, so that the places of the others stay true.
        places.sort_unstable_by(|a, b| b.cmp(a));
        let mut taken = Vec::with_capacity(places.len());
        for at in places {
            let Some(item) = self.lanes[place].remove(at) else { continue };
            self.tokens[place] -= item.tokens;
            if is_live(item.ticket) {
                taken.push(item);
            }
        }
        taken
    }
}

/// The run of `near` (tokens and place, sorted by tokens) around index `must` that serves most per time.
///
/// A batch takes the time of `overhead + cost` tokens and serves the sum of its rows' lengths. In the order of
/// length, the best batch is a run of neighbours: every possible longest item is tried, with ever more shorter ones.
fn best_run(near: &[(usize, usize)], must: usize, limits: BatchLimits) -> std::ops::Range<usize> {
    // The oldest goes alone if nothing better is found.
    let mut best = (0.0, must..must + 1);
    for last in must..near.len() {
        let longest = near[last].0;
        let mut useful = 0;
        for first in (0..=last).rev() {
            let rows = last - first + 1;
            useful += near[first].0;
            let cost = limits.cost(rows, useful, longest);
            if rows > 1 && cost > limits.budget as f64 {
                break;
            }
            let rate = useful as f64 / (limits.overhead as f64 + cost);
            if rate > best.0 && first <= must {
                best = (rate, first..last + 1);
            }
        }
    }
    best.1
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
