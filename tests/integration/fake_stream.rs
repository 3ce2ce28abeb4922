//! A stream in memory: gives out what it holds, again after a refusal, and notes what is said to it in its order.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use attune::error::{Error, ErrorKind};
use attune::stream::{Answer, Lag, Message, Outgoing, Transport};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What was said to the stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Published(Outgoing),
    Answered(u64, Answer),
}

#[derive(Default)]
struct State {
    /// By their place: the payload, and how often it was given out.
    messages: BTreeMap<u64, (Vec<u8>, u64)>,
    due: Vec<u64>,
    said: Vec<Said>,
    refusals: usize,
}

#[derive(Default)]
pub(crate) struct FakeStream {
    state: Mutex<State>,
    news: Notify,
}

impl FakeStream {
    pub(crate) fn new(payloads: Vec<Vec<u8>>) -> Self {
        let messages: BTreeMap<u64, _> =
            (1..).zip(payloads.into_iter().map(|payload| (payload, 0))).collect();
        let due = messages.keys().copied().collect();
        Self { state: Mutex::new(State { messages, due, ..State::default() }), news: Notify::new() }
    }

    /// The message was given out so often before.
    pub(crate) fn delivered(&self, sequence: u64, times: u64) {
        self.state.lock().messages.get_mut(&sequence).unwrap().1 = times;
    }

    /// The next calls to publish fail.
    pub(crate) fn refuse_to_publish(&self, times: usize) {
        self.state.lock().refusals = times;
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.state.lock().said.clone()
    }

    pub(crate) fn answers(&self, sequence: u64) -> Vec<Answer> {
        let of = |said: &Said| match said {
            Said::Answered(place, answer) if *place == sequence => Some(*answer),
            _ => None,
        };
        self.state.lock().said.iter().filter_map(of).collect()
    }

    pub(crate) fn published(&self, part: &str) -> Vec<Outgoing> {
        let of = |said: &Said| match said {
            Said::Published(message) if message.subject.contains(part) => Some(message.clone()),
            _ => None,
        };
        self.state.lock().said.iter().filter_map(of).collect()
    }

    fn take(&self, most: usize) -> Vec<Message> {
        let mut state = self.state.lock();
        let most = most.min(state.due.len());
        let taken: Vec<u64> = state.due.drain(..most).collect();
        let message = |sequence: u64| {
            let (payload, deliveries) = state.messages.get_mut(&sequence).unwrap();
            *deliveries += 1;
            let (subject, reply) = ("attune.interactions.acme".into(), sequence.to_string());
            Message { subject, payload: payload.clone(), deliveries: *deliveries, sequence, reply }
        };
        taken.into_iter().map(message).collect()
    }

    /// Waits until every message is answered for good.
    pub(crate) async fn settled(&self) {
        let all = async {
            loop {
                let news = self.news.notified();
                if self.state.lock().messages.is_empty() {
                    return;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    }
}

#[async_trait]
impl Transport for FakeStream {
    async fn prepare(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn pull(&self, most: usize) -> Result<Vec<Message>, Error> {
        let messages = self.take(most);
        if messages.is_empty() {
            tokio::task::yield_now().await;
        }
        Ok(messages)
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Error>> {
        let mut state = self.state.lock();
        if state.refusals > 0 {
            state.refusals -= 1;
            return messages.iter().map(|_| Err(Error::new(ErrorKind::Unavailable, "away"))).collect();
        }
        let results = messages.iter().map(|_| Ok(())).collect();
        state.said.extend(messages.into_iter().map(Said::Published));
        results
    }

    async fn answer(&self, message: &Message, answer: Answer) {
        let mut state = self.state.lock();
        state.said.push(Said::Answered(message.sequence, answer));
        match answer {
            Answer::Ack | Answer::Term => drop(state.messages.remove(&message.sequence)),
            // The test does not wait as long as a stream would.
            Answer::Nak(_) => state.due.push(message.sequence),
        }
        drop(state);
        self.news.notify_waiters();
    }

    async fn progress(&self, _reply: &str) {}

    async fn lag(&self) -> Result<Lag, Error> {
        Ok(Lag::default())
    }

    async fn flush(&self) {}
}
