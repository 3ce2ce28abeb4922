//! The last texts of a stream, as counts: a ring of sub-windows, of which the oldest is forgotten as a whole.

use std::collections::VecDeque;

use super::layout::Layout;
use super::observation::Observation;

/// Sub-windows of a window: what is forgotten at a time is a tenth of it.
pub const SLICES: u32 = 10;

/// How far back a window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Texts; in tenths of it.
    pub texts: u32,
    /// Milliseconds.
    pub time_ms: i64,
}

impl Span {
    fn slice_texts(self) -> u32 {
        (self.texts / SLICES).max(1)
    }

    fn slice_ms(self) -> i64 {
        (self.time_ms / i64::from(SLICES)).max(1)
    }
}

/// Counts of the last texts.
#[derive(Debug, Clone)]
pub struct Window {
    slices: VecDeque<Slice>,
    /// Of all slices together.
    counts: Box<[u32]>,
    texts: u32,
}

#[derive(Debug, Clone)]
struct Slice {
    counts: Box<[u32]>,
    texts: u32,
    from_ms: i64,
    to_ms: i64,
}

impl Window {
    /// Without texts, for `bins` bins.
    pub fn new(bins: usize) -> Self {
        Self { slices: VecDeque::new(), counts: vec![0; bins].into(), texts: 0 }
    }

    /// Counts a text; true when a sub-window has ended, which is the time to measure.
    pub fn add(&mut self, layout: &Layout, seen: &Observation, span: Span, now_ms: i64) -> bool {
        let forgot = self.forget(span, now_ms);
        let open = self.slices.back().is_some_and(|slice| {
            slice.texts < span.slice_texts() && now_ms.saturating_sub(slice.from_ms) < span.slice_ms()
        });
        // One that was ended by time, and not by its number, has not been measured.
        let by_time = !open && self.slices.back().is_some_and(|slice| slice.texts < span.slice_texts());
        if !open {
            self.open_slice(now_ms);
        }
        let Some(slice) = self.slices.back_mut() else { return false };
        let counts = &mut self.counts;
        layout.hits(seen, |bin| {
            slice.counts[bin] += 1;
            counts[bin] += 1;
        });
        slice.texts += 1;
        slice.to_ms = slice.to_ms.max(now_ms);
        self.texts += 1;
        forgot || by_time || slice.texts == span.slice_texts()
    }

    /// Drops what is too old; true when there was such.
    pub fn forget(&mut self, span: Span, now_ms: i64) -> bool {
        let mut forgot = false;
        while self.slices.front().is_some_and(|slice| now_ms.saturating_sub(slice.to_ms) > span.time_ms) {
            self.drop_oldest();
            forgot = true;
        }
        forgot
    }

    fn open_slice(&mut self, now_ms: i64) {
        // The oldest one's memory serves again.
        let spare = if self.slices.len() >= SLICES as usize { self.drop_oldest() } else { None };
        let counts = match spare {
            Some(mut counts) => {
                counts.fill(0);
                counts
            }
            None => vec![0; self.counts.len()].into(),
        };
        self.slices.push_back(Slice { counts, texts: 0, from_ms: now_ms, to_ms: now_ms });
    }

    fn drop_oldest(&mut self) -> Option<Box<[u32]>> {
        let oldest = self.slices.pop_front()?;
        for (sum, count) in self.counts.iter_mut().zip(&oldest.counts) {
            *sum -= count;
        }
        self.texts -= oldest.texts;
        Some(oldest.counts)
    }

    /// How many texts fell into each bin of the axis.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Texts that it holds.
    pub fn texts(&self) -> u32 {
        self.texts
    }

    /// As of when its first and its last text came, in milliseconds since 1970; `None` without any.
    pub fn reach_ms(&self) -> Option<(i64, i64)> {
        Some((self.slices.front()?.from_ms, self.slices.back()?.to_ms))
    }
}
