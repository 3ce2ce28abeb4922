//! One MonitorConversation stream: requests are read in parallel, and heard in their order.
//!
//! [`Session`] looks at a request as it comes and starts reading its turn; [`Teller`] takes what was read, in the order of
//! the requests, tells the monitor, and says what changed since it last spoke of that conversation.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::v1::monitor_conversation_request::Action;
use super::v1::monitor_conversation_response::Outcome;
use super::{convert, convert_conversation as talk, status, v1};
use crate::batching::{Entrance, Lane};
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};
use crate::pipeline::conversation::{self, Listened, TurnOptions};
use crate::pipeline::models::PerModel;
use crate::pipeline::monitor::{Context, ConversationKey, Monitor, Opened};
use crate::pipeline::{AnalysisOptions, Analyzer, Call, Models};

/// Turns of one stream that are in flight at once.
pub(super) const TURNS_IN_FLIGHT: usize = 64;
/// Conversations that one stream may carry.
const CONVERSATIONS: usize = 10_000;

/// A conversation as one stream knows it.
#[derive(Clone)]
struct Thread {
    key: ConversationKey,
    context: Arc<Context>,
    assessments: bool,
    model: Arc<str>,
}

/// What came of a request's reading; its telling follows in order.
pub(super) struct Read {
    conversation_id: String,
    work: Result<Work, Error>,
}

enum Work {
    Open { thread: Thread, last_event: u64, last_turn: u64 },
    Turn { thread: Thread, number: u64, listened: Option<Box<Listened>> },
    Close { key: ConversationKey },
}

/// The reading half.
pub(super) struct Session {
    ear: Ear,
    threads: HashMap<String, Thread>,
}

/// What a turn is read with.
#[derive(Clone)]
struct Ear {
    models: Models,
    monitor: Arc<Monitor>,
    options: Arc<PerModel<TurnOptions>>,
    call: Call,
    /// Closes of this stream that have come and are not told yet.
    closing: Arc<AtomicUsize>,
}

/// The telling half.
pub(super) struct Teller {
    monitor: Arc<Monitor>,
    closing: Arc<AtomicUsize>,
    /// The last event that was told, by conversation.
    told: HashMap<String, u64>,
    /// The last turn that is only told again, for the service has forgotten it: its events are known to the caller.
    again: HashMap<String, u64>,
}

impl Session {
    pub(super) fn new(models: Models, monitor: Arc<Monitor>, deadline: Option<Instant>) -> Self {
        // Somebody waits for each turn, and none may be lost.
        let call = Call { lane: Lane::Interactive, entrance: Entrance::Wait, deadline, tenant: Tenant::NONE };
        let ear = Ear { models, monitor, options: Arc::default(), call, closing: Arc::default() };
        Self { ear, threads: HashMap::new() }
    }

    pub(super) fn teller(&self) -> Teller {
        let (monitor, closing) = (Arc::clone(&self.ear.monitor), Arc::clone(&self.ear.closing));
        Teller { monitor, closing, told: HashMap::new(), again: HashMap::new() }
    }

    /// Looks at a request now; its turn is read when the future is polled.
    pub(super) fn read(
        &mut self,
        request: v1::MonitorConversationRequest,
    ) -> impl Future<Output = Read> + Send + use<> {
        let work = self.begin_work(&request.conversation_id, request.action);
        let ear = self.ear.clone();
        async move {
            let work = match work {
                Ok(Begun::Turn { thread, number, turn }) => {
                    let listened = ear.listen(&thread, number, turn).await;
                    listened.map(|listened| Work::Turn { thread, number, listened: listened.map(Box::new) })
                }
                Ok(Begun::Done(work)) => Ok(work),
                Err(error) => Err(error),
            };
            Read { conversation_id: request.conversation_id, work }
        }
    }

    fn begin_work(&mut self, id: &str, action: Option<Action>) -> Result<Begun, Error> {
        let id = talk::required_id(id.to_owned(), "conversation_id")?;
        match action {
            None => Err(Error::invalid("action", "expected open, turn or close")),
            Some(Action::Open(open)) => self.open(id, open).map(Begun::Done),
            Some(Action::Turn(turn)) => {
                let thread = self.threads.get(&id).cloned().ok_or_else(not_opened)?;
                if turn.number == 0 {
                    return Err(Error::invalid("turn.number", "is 0: turns are counted from 1"));
                }
                let said = turn.turn.ok_or_else(|| Error::invalid("turn.turn", "expected a turn"))?;
                let said = talk::turn(said).map_err(|e| e.within("turn.turn"))?;
                Ok(Begun::Turn { thread, number: turn.number, turn: said })
            }
            Some(Action::Close(_)) => {
                let thread = self.threads.remove(&id).ok_or_else(not_opened)?;
                self.ear.closing.fetch_add(1, Ordering::Relaxed);
                Ok(Begun::Done(Work::Close { key: thread.key }))
            }
        }
    }

    fn open(&mut self, id: String, open: v1::OpenConversation) -> Result<Work, Error> {
        let (tenant, context) = talk::context(open.context).map_err(|e| e.within("open.context"))?;
        if self.threads.len() >= CONVERSATIONS && !self.threads.contains_key(&id) {
            let problem = format!("this stream carries {CONVERSATIONS} conversations; use another one");
            return Err(Error::new(ErrorKind::Overloaded, problem));
        }
        let key = ConversationKey { tenant, id: id.clone() };
        self.ear.models.get(&open.model)?;
        let (context, model) = (Arc::new(context), open.model.into());
        let thread = Thread { key, context, assessments: open.assessments, model };
        self.threads.insert(id, thread.clone());
        Ok(Work::Open { thread, last_event: open.last_event, last_turn: open.last_turn })
    }
}

fn not_opened() -> Error {
    let problem = "the conversation was not opened on this stream; send open first";
    Error::new(ErrorKind::Precondition, problem)
}

enum Begun {
    Turn { thread: Thread, number: u64, turn: crate::domain::Turn },
    Done(Work),
}

impl Ear {
    /// Reads a turn, unless it is known already.
    async fn listen(
        &self,
        thread: &Thread,
        number: u64,
        turn: crate::domain::Turn,
    ) -> Result<Option<Listened>, Error> {
        // An open that is still in flight before it makes the conversation known; telling it comes later. While a close
        // is in flight, what is known may be the conversation that ends with it.
        let closing = self.closing.load(Ordering::Relaxed) > 0;
        let known = if closing { None } else { self.monitor.known(&thread.key) };
        if known.as_ref().is_some_and(|known| number <= known.last_turn) {
            return Ok(None);
        }
        let context = known.map_or_else(|| Arc::clone(&thread.context), |known| known.context);
        let rules = self.monitor.rules(&thread.key.tenant, context.channel);
        let language = context.language.as_deref();
        // Asked for each turn: a conversation may last for days, and its model be replaced meanwhile.
        let analyzer = self.models.get(&thread.model)?;
        let resolve = |analyzer: &Arc<Analyzer>| TurnOptions::resolve(&AnalysisOptions::default(), analyzer);
        let options = self.options.get(&analyzer, resolve)?;
        let call = Call { tenant: Tenant::of(&thread.key.tenant), ..self.call };
        let read = conversation::listen(&analyzer, &rules, &turn, language, &options, call);
        read.await.map(Some).map_err(|e| e.within("turn.turn"))
    }
}

impl Teller {
    /// Tells the monitor what was read, and the caller what changed.
    pub(super) fn hear(&mut self, read: Read) -> v1::MonitorConversationResponse {
        let outcome = match read.work.and_then(|work| self.tell(work)) {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Error(status::item_error(&error)),
        };
        v1::MonitorConversationResponse { conversation_id: read.conversation_id, outcome: Some(outcome) }
    }

    fn tell(&mut self, work: Work) -> Result<Outcome, Error> {
        match work {
            Work::Open { thread, last_event, last_turn } => {
                let opened = self.monitor.open(&thread.key, (*thread.context).clone(), last_event)?;
                // A conversation that was forgotten counts its events anew; its turns are what the caller can go by.
                let forgotten = opened.last_turn < last_turn;
                let last_event = if forgotten { 0 } else { last_event };
                self.again.insert(thread.key.id.clone(), if forgotten { last_turn } else { 0 });
                Ok(Outcome::Opened(self.opened(&thread.key, last_event, opened)))
            }
            Work::Turn { thread, number, listened } => self.turn(&thread, number, listened),
            Work::Close { key } => {
                self.closing.fetch_sub(1, Ordering::Relaxed);
                let seen = self.told.remove(&key.id).unwrap_or_default();
                self.again.remove(&key.id);
                let events = self.monitor.close(&key, seen)?;
                let events = events.into_iter().map(|event| talk::alert_event(&key, event)).collect();
                Ok(Outcome::Closed(v1::ConversationClosed { events }))
            }
        }
    }

    fn opened(&mut self, key: &ConversationKey, last_event: u64, opened: Opened) -> v1::ConversationOpened {
        let newest = opened.missed.last().map_or(last_event, |event| event.sequence);
        self.told.insert(key.id.clone(), newest);
        v1::ConversationOpened {
            last_turn: opened.last_turn,
            state: opened.state.map(|state| talk::state(key, &state)),
            missed: opened.missed.into_iter().map(|event| talk::alert_event(key, event)).collect(),
        }
    }

    fn turn(
        &mut self,
        thread: &Thread,
        number: u64,
        listened: Option<Box<Listened>>,
    ) -> Result<Outcome, Error> {
        let key = &thread.key;
        let seen = self.told.get(&key.id).copied().unwrap_or_default();
        let (update, assessment) = match listened {
            Some(listened) => {
                let Listened { assessment, heard } = *listened;
                (self.monitor.push(key, number, heard, seen)?, assessment.filter(|_| thread.assessments))
            }
            None => (self.monitor.repeat(key, number, seen)?, None),
        };
        if let Some(event) = update.events.last() {
            self.told.insert(key.id.clone(), event.sequence);
        }
        let known = self.again.get(&key.id).is_some_and(|last| number <= *last);
        let events = if known { Vec::new() } else { update.events };
        Ok(Outcome::Update(v1::TurnUpdate {
            number,
            repeated: update.repeated,
            assessment: assessment.map(convert::assessment),
            state: Some(talk::state(key, &update.state)),
            events: events.into_iter().map(|event| talk::alert_event(key, event)).collect(),
        }))
    }
}
