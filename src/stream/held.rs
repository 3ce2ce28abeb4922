//! Messages that were given out and not answered, so that the stream hears in time that they are still worked on.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::transport::{Message, Transport};

/// The stream hears of a message this often within the time of its acknowledgement: one that gets lost does no harm.
const PER_WAIT: u32 = 3;

/// Replies of messages by their place in the stream.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<BTreeMap<u64, String>>);

impl Held {
    pub(super) fn take(&self, messages: &[Message]) {
        self.0.lock().extend(messages.iter().map(|message| (message.sequence, message.reply.clone())));
    }

    pub(super) fn release(&self, message: &Message) {
        self.0.lock().remove(&message.sequence);
    }

    /// Forgets messages that nobody works on any more: they come again.
    pub(super) fn forget(&self, sequences: &[u64]) {
        let mut held = self.0.lock();
        sequences.iter().for_each(|sequence| {
            held.remove(sequence);
        });
    }

    /// Tells the stream of every message that is held, until `stop`.
    pub(super) async fn tell(&self, transport: &dyn Transport, ack_wait: Duration, stop: CancellationToken) {
        let every = ack_wait / PER_WAIT;
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let replies: Vec<String> = self.0.lock().values().cloned().collect();
            for reply in replies {
                transport.progress(&reply).await;
            }
        }
    }
}
