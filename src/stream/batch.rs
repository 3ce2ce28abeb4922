//! What becomes of a batch: kept together, told of, and answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fate::{self, Fate};
use super::form;
use super::held::Held;
use super::patience::Patience;
use super::transport::{Answer, Message, Outgoing, Transport};
use super::worker::WorkerSettings;
use crate::error::{Error, ErrorKind};
use crate::events;
use crate::pipeline::customers::{Customers, bulk};
use crate::pipeline::monitor::now_ms;
use crate::storage::{Record, TimelineEntry};
use crate::telemetry::metrics::{self, Settled};

/// Messages, each with what was read in it.
pub(super) type ReadBatch = Vec<(Message, Result<Record, Error>)>;

/// A message with its record.
type Pair = (Message, Record);

/// What every batch of a worker shares.
pub(super) struct Desk {
    pub(super) customers: Arc<Customers>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) settings: WorkerSettings,
    pub(super) held: Held,
    pub(super) patience: Patience,
}

impl Desk {
    /// Reads messages in the bulk lane, those of several batches side by side.
    pub(super) async fn read(&self, messages: Vec<Message>) -> ReadBatch {
        let (mut interactions, mut readable) = (Vec::new(), Vec::new());
        let most = u64::from(self.settings.max_deliver) * fate::GIVE_UP;
        for message in &messages {
            let parsed =
                if message.deliveries > most { Err(given_up(most)) } else { form::parse(&message.payload) };
            readable.push(parsed.map(|interaction| interactions.push(interaction)));
        }
        let mut read = self.customers.read(interactions, bulk(), now_ms()).await.into_iter();
        let record = |readable: Result<(), Error>| {
            readable?;
            let read = read.next().unwrap_or_else(|| Err(Error::internal("an interaction was not read")));
            read.map(|read| read.record)
        };
        messages.into_iter().zip(readable.into_iter().map(record).collect::<Vec<_>>()).collect()
    }

    /// Keeps what was read, tells of it, and answers every message.
    pub(super) async fn finish(&self, batch: ReadBatch) {
        let mut pairs = Vec::new();
        for (message, read) in batch {
            match read {
                Ok(record) => pairs.push((message, record)),
                Err(error) => self.fail(&message, &error).await,
            }
        }
        // One that a store can't take would fail all others: what fails for good is halved until it stands alone.
        let mut parts = vec![pairs];
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.keep(&part).await {
                Ok(new) => self.tell(part, &new).await,
                Err(error) if part.len() > 1 && !fate::passes(error.kind()) => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                Err(error) => {
                    for (message, _) in &part {
                        self.fail(message, &error).await;
                    }
                }
            }
        }
    }

    /// One transaction; says of each whether it is new.
    async fn keep(&self, part: &[Pair]) -> Result<Vec<bool>, Error> {
        let records: Vec<Record> = part.iter().map(|(_, record)| record.clone()).collect();
        let kept = self
            .patience
            .with("store", || async { self.customers.keep(&records).await.map_err(held_up) })
            .await?;
        Ok(kept.into_iter().map(|recorded| recorded.new).collect())
    }

    /// Publishes what is recorded, now or long ago, and answers.
    async fn tell(&self, part: Vec<Pair>, new: &[bool]) {
        let known: Vec<&Record> =
            part.iter().zip(new).filter(|(_, new)| !**new).map(|((_, record), _)| record).collect();
        let stored = match self.stored(&known).await {
            Ok(stored) => stored,
            Err(error) => {
                for (message, _) in &part {
                    self.fail(message, &error).await;
                }
                return;
            }
        };
        let (mut told, mut outgoing) = (Vec::new(), Vec::new());
        for ((message, record), new) in part.into_iter().zip(new) {
            let settled = if *new { Settled::Recorded } else { Settled::Duplicate };
            let record = match stored.get(&record.id) {
                Some(entry) => Some(as_stored(record, entry)),
                None => new.then_some(record),
            };
            match record {
                // The customer was erased: there is nothing to tell.
                None => self.done(&message, settled).await,
                Some(record) => match self.outgoing(&record) {
                    Ok(event) => {
                        outgoing.push(event);
                        told.push((message, settled));
                    }
                    Err(error) => self.fail(&message, &error).await,
                },
            }
        }
        let published = self.publish(outgoing).await;
        for ((message, settled), published) in told.into_iter().zip(published) {
            match published {
                Ok(()) => self.done(&message, settled).await,
                Err(error) => self.fail(&message, &error).await,
            }
        }
    }

    /// What the store has of those that it knew, by id.
    async fn stored(&self, known: &[&Record]) -> Result<BTreeMap<String, TimelineEntry>, Error> {
        let mut tenants: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for record in known {
            tenants.entry(&record.key.tenant).or_default().push(record.id.clone());
        }
        let (store, mut stored) = (self.customers.store(), BTreeMap::new());
        for (tenant, ids) in tenants {
            let entries = self
                .patience
                .with("store", || async { store.interactions(tenant, &ids).await.map_err(held_up) })
                .await?;
            stored.extend(entries.into_iter().map(|entry| (entry.id.clone(), entry)));
        }
        Ok(stored)
    }

    fn outgoing(&self, record: &Record) -> Result<Outgoing, Error> {
        let event = events::assessment(&self.customers.deciding().source, record)?;
        Ok(Outgoing {
            subject: events::subject(&self.settings.subject_prefix, &record.key.tenant, event.kind),
            id: event.id,
            headers: vec![("content-type", "application/cloudevents+json".to_owned())],
            payload: event.body.into_bytes(),
        })
    }

    /// Publishes, and again what did not get through, for a while.
    async fn publish(&self, outgoing: Vec<Outgoing>) -> Vec<Result<(), Error>> {
        let all = async || {
            let results = self.transport.publish(outgoing.clone()).await;
            // The stream drops the repetitions of those that it has.
            match results.iter().position(|one| one.as_ref().is_err_and(|e| fate::passes(e.kind()))) {
                Some(at) => Err(results.into_iter().nth(at).and_then(Result::err).unwrap_or_else(away)),
                None => Ok(results),
            }
        };
        match self.patience.with("stream", all).await {
            Ok(results) => results,
            Err(error) => outgoing.iter().map(|_| Err(same(&error))).collect(),
        }
    }

    async fn done(&self, message: &Message, settled: Settled) {
        self.answer(message, Answer::Ack, settled).await;
    }

    async fn answer(&self, message: &Message, answer: Answer, settled: Settled) {
        self.transport.answer(message, answer).await;
        self.held.release(message);
        metrics::settled(settled);
    }

    /// Does with a message what the kind of the error says.
    async fn fail(&self, message: &Message, error: &Error) {
        match fate::of(error, message.deliveries, self.settings.max_deliver) {
            Fate::Done => self.done(message, Settled::Duplicate).await,
            Fate::Again(pause) => {
                tracing::debug!(sequence = message.sequence, %error, causes = error.causes(), "again");
                self.answer(message, Answer::Nak(pause), Settled::Retried).await;
            }
            Fate::Dead => self.bury(message, error).await,
        }
    }

    /// Publishes a message as a dead letter, and only then takes it out of the stream.
    async fn bury(&self, message: &Message, error: &Error) {
        let letter = self.letter(message, error);
        let sequence = message.sequence;
        let mut published = self.publish(vec![letter.clone()]).await.pop();
        if let Some(Err(large)) = &published
            && large.kind() == ErrorKind::InvalidInput
        {
            let left_out = ("Attune-Left-Out-Bytes", letter.payload.len().to_string());
            let headers = letter.headers.into_iter().chain([left_out]).collect();
            published = self.publish(vec![Outgoing { headers, payload: Vec::new(), ..letter }]).await.pop();
        }
        if let Some(Ok(())) = published {
            let (field, causes) = (error.field().unwrap_or_default(), error.causes());
            tracing::warn!(sequence, field, %error, causes, "dead letter");
            self.answer(message, Answer::Term, Settled::Dead).await;
        } else {
            let pause = fate::pause(message.deliveries);
            self.answer(message, Answer::Nak(pause), Settled::Retried).await;
        }
    }

    fn letter(&self, message: &Message, error: &Error) -> Outgoing {
        let headers = vec![
            ("Attune-Reason", one_line(&error.told())),
            ("Attune-Kind", format!("{:?}", error.kind())),
            ("Attune-Subject", one_line(&message.subject)),
            ("Attune-Sequence", message.sequence.to_string()),
            ("Attune-Deliveries", message.deliveries.to_string()),
        ];
        let tenant = events::token(&form::tenant(&message.payload));
        Outgoing {
            subject: format!("{}.dead.{tenant}", self.settings.subject_prefix),
            id: format!("dead-{}-{}", self.settings.durable, message.sequence),
            headers,
            payload: message.payload.clone(),
        }
    }
}

/// A store that refuses everybody (a password that was changed, a damaged file) is mended by people: its messages wait, as
/// in an outage, and are not given up one by one.
fn held_up(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Precondition => {
            Error::new(ErrorKind::Unavailable, error.public().to_owned()).with_source(error)
        }
        _ => error,
    }
}

/// A record with what the store has of it in place of what was just read.
fn as_stored(record: Record, entry: &TimelineEntry) -> Record {
    // What a conversation was is kept apart; a second reading by the same model and policy says the same.
    let read = &record.assessment;
    let same = (&read.model, &read.policy) == (&entry.assessment.model, &entry.assessment.policy);
    Record {
        text: entry.text.clone(),
        observation: entry.observation.clone(),
        assessment: entry.assessment.clone(),
        received_ms: entry.received_ms,
        conversation: record.conversation.filter(|_| same),
        ..record
    }
}

fn given_up(most: u64) -> Error {
    Error::invalid("deliveries", format!("was given out more than {most} times, and never answered for good"))
}

fn away() -> Error {
    Error::new(ErrorKind::Unavailable, "the stream is not available")
}

/// The same once more, for another message.
fn same(error: &Error) -> Error {
    Error::new(error.kind(), error.public())
}

/// A header has one line, of which each character is plain.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).collect()
}
