//! What a stream has to do: give out messages for a while, take them back or for good, and take what is told.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Error;

/// A message that the stream has given out; until it is answered, it is this worker's for the time of the acknowledgement.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub subject: String,
    /// What it holds, as it came.
    pub payload: Vec<u8>,
    /// How often it was given out, this time included; from 1.
    pub deliveries: u64,
    /// Its place in the stream.
    pub sequence: u64,
    /// Where answers go.
    pub reply: String,
}

impl fmt::Debug for Message {
    /// Says how long the payload is, and never what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("sequence", &self.sequence)
            .field("deliveries", &self.deliveries)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// What a worker says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Ack,
    /// Give it out again, not before this time has passed.
    Nak(Duration),
    /// Never give it out again.
    Term,
}

/// What is published.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub subject: String,
    /// By which the stream knows repetitions within its window.
    pub id: String,
    /// Name and value; values are of one line.
    pub headers: Vec<(&'static str, String)>,
    /// What it holds.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Outgoing {
    /// Leaves the payload out: it names the customer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// How far behind the workers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// Messages that were not given out yet.
    pub waiting: u64,
    /// Messages that were given out and not answered.
    pub unanswered: u64,
}

/// A stream of messages that several workers share.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Makes sure that everything is there: streams, consumer. Errors: `Unavailable`; `Precondition` for what somebody has to
    /// change first.
    async fn prepare(&self) -> Result<(), Error>;

    /// Up to `most` messages; waits a moment when there are none, and may then answer with none. Error: `Unavailable`.
    async fn pull(&self, most: usize) -> Result<Vec<Message>, Error>;

    /// Publishes in this order, and says of each whether the stream has it. Errors: `Unavailable`; `InvalidInput` for one that
    /// is too large.
    async fn publish(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Error>>;

    /// Answers a message. An answer that gets lost makes the message come again.
    async fn answer(&self, message: &Message, answer: Answer);

    /// Says of a message, by its [`Message::reply`], that it is still worked on.
    async fn progress(&self, reply: &str);

    /// How far behind the workers are. Error: `Unavailable`.
    async fn lag(&self) -> Result<Lag, Error>;

    /// Waits until every answer has left.
    async fn flush(&self);
}
