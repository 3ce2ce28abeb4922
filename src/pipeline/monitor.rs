//! Conversations that are followed live: bounded in number, each bounded in size, forgotten when idle.
//!
//! The monitor holds what has been heard, never text. Turns carry the caller's number, so that one that is sent again after
//! a broken connection changes nothing; events carry a sequence number, so that each is told once.

mod escalation;

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::conversation::PolicySource;
use crate::domain::Channel;
use crate::error::{Error, ErrorKind};
use crate::escalation::alert::Note;
use crate::escalation::risk::Account;
use crate::escalation::{Alert, AlertEvent, Heard, Policies, Rules, Standing, Tracker};
use crate::telemetry::metrics;

pub use escalation::{ConversationKey, Escalation};

/// Events of one conversation that are kept for whoever comes back. Hysteresis keeps them few.
const EVENTS: usize = 256;
/// Changes that a slow watcher may be behind.
const WATCHERS_LAG: usize = 4096;

/// Bounds of the monitor.
#[derive(Debug, Clone, Copy)]
pub struct MonitorSettings {
    /// Conversations at the same time.
    pub conversations: usize,
    /// Turns of one conversation.
    pub turns: usize,
    /// A conversation is forgotten when it has been silent for so long.
    pub idle: Duration,
}

/// What is known of a conversation beside its turns.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The way it is led.
    pub channel: Channel,
    /// The customer's id; empty for none.
    pub customer: String,
    /// BCP 47 tag of all turns.
    pub language: Option<String>,
    /// For features of the account.
    pub account: Account,
}

/// What a caller learns who opens a conversation.
pub struct Opened {
    /// The last turn that is known.
    pub last_turn: u64,
    /// How it stands; `None` before the first turn.
    pub state: Option<State>,
    /// Events that the caller has not seen.
    pub missed: Vec<AlertEvent>,
}

/// What is known of a conversation that is followed.
pub struct Known {
    /// The last turn that was heard.
    pub last_turn: u64,
    /// As it was first opened with.
    pub context: Arc<Context>,
}

/// A conversation's standing and what belongs to it.
#[derive(Debug, Clone)]
pub struct State {
    /// How it stands.
    pub standing: Standing,
    /// The alert that is open.
    pub alert: Option<Alert>,
    /// The policy that judged it.
    pub policy_version: String,
}

/// What a turn has changed.
pub struct Update {
    /// The turn was known already.
    pub repeated: bool,
    /// How it stands.
    pub state: State,
    /// Events that the caller has not seen.
    pub events: Vec<AlertEvent>,
}

/// A change that watchers are told of.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The conversation after it.
    pub escalation: Escalation,
    /// What changed.
    pub event: AlertEvent,
}

struct Live {
    context: Arc<Context>,
    policies: Arc<Policies>,
    tracker: Tracker,
    last_turn: u64,
    events: VecDeque<AlertEvent>,
    touched: Instant,
    updated_ms: i64,
    /// Closed or forgotten: no longer in the map.
    ended: bool,
}

/// See the module.
pub struct Monitor {
    policies: PolicySource,
    settings: MonitorSettings,
    live: Mutex<HashMap<ConversationKey, Arc<Mutex<Live>>>>,
    changes: broadcast::Sender<Arc<Notice>>,
}

impl Monitor {
    /// Follows nothing yet.
    pub fn new(policies: PolicySource, settings: MonitorSettings) -> Self {
        let (changes, _) = broadcast::channel(WATCHERS_LAG);
        Self { policies, settings, live: Mutex::default(), changes }
    }

    /// The policies in force, and those to come.
    pub fn policy_source(&self) -> PolicySource {
        self.policies.clone()
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.policies.borrow())
    }

    /// The rules in force for a conversation.
    pub fn rules(&self, tenant: &str, channel: Channel) -> Arc<Rules> {
        self.policies().rules((!tenant.is_empty()).then_some(tenant), channel)
    }

    /// Begins to follow a conversation, or comes back to it. `last_event` is the last one that the caller has seen.
    ///
    /// Errors: `Overloaded` when as many are followed as may be.
    pub fn open(&self, key: &ConversationKey, context: Context, last_event: u64) -> Result<Opened, Error> {
        loop {
            let live = self.find_or_begin(key, context.clone())?;
            let mut live = live.lock();
            // Closed between the map's lock and its own: it is no longer in the map.
            if live.ended {
                continue;
            }
            live.touched = Instant::now();
            return Ok(Opened {
                last_turn: live.last_turn,
                state: live.state(),
                missed: live.since(last_event),
            });
        }
    }

    fn find_or_begin(&self, key: &ConversationKey, context: Context) -> Result<Arc<Mutex<Live>>, Error> {
        let mut all = self.live.lock();
        if let Some(live) = all.get(key) {
            return Ok(Arc::clone(live));
        }
        if all.len() >= self.settings.conversations {
            let many = self.settings.conversations;
            let problem = format!(
                "{many} conversations are followed already; close those that have ended, or raise conversations.maximum"
            );
            return Err(Error::new(ErrorKind::Overloaded, problem).with_retry_after(Duration::from_secs(5)));
        }
        let policies = self.policies();
        let rules = policies.rules((!key.tenant.is_empty()).then_some(&*key.tenant), context.channel);
        let live = Arc::new(Mutex::new(Live {
            tracker: Tracker::new(rules, context.channel, context.account.clone()),
            context: Arc::new(context),
            policies,
            last_turn: 0,
            events: VecDeque::new(),
            touched: Instant::now(),
            updated_ms: now_ms(),
            ended: false,
        }));
        all.insert(key.clone(), Arc::clone(&live));
        metrics::conversations(all.len());
        Ok(live)
    }

    /// What is known of a conversation, so that turns which are known need not be read; `None` when it is not followed.
    pub fn known(&self, key: &ConversationKey) -> Option<Known> {
        let live = self.get(key).ok()?;
        let live = live.lock();
        Some(Known { last_turn: live.last_turn, context: Arc::clone(&live.context) })
    }

    /// Takes in turn `number` of a conversation. `seen` is the last event that the caller has.
    ///
    /// Errors: `NotFound` when it is not followed, `InvalidInput` for a gap or for more turns than may be.
    pub fn push(&self, key: &ConversationKey, number: u64, heard: Heard, seen: u64) -> Result<Update, Error> {
        let live = self.get(key)?;
        let mut live = live.lock();
        if live.ended {
            return Err(not_followed());
        }
        live.touched = Instant::now();
        if number <= live.last_turn {
            return live.update(true, seen);
        }
        if number != live.last_turn + 1 {
            let problem = format!("is {number}, expected {}: turns come without gaps", live.last_turn + 1);
            return Err(Error::invalid("turn.number", problem));
        }
        if number > self.settings.turns as u64 {
            let problem =
                format!("is {number}: a conversation may have {} turns; open a new one", self.settings.turns);
            return Err(Error::invalid("turn.number", problem));
        }
        live.follow(key, &self.policies());
        live.last_turn = number;
        live.updated_ms = now_ms();
        let standing = live.tracker.push(heard);
        if let Some(event) = standing.event {
            self.happened(key, &mut live, event);
        }
        live.update(false, seen)
    }

    /// The last update again, for turn `number`, which was known when it came.
    ///
    /// Errors: `NotFound` when the conversation is not followed, or was closed and opened anew since then.
    pub fn repeat(&self, key: &ConversationKey, number: u64, seen: u64) -> Result<Update, Error> {
        let live = self.get(key)?;
        let mut live = live.lock();
        if live.ended || number > live.last_turn {
            let problem = "the conversation was closed and opened anew; send its turns from 1 again";
            return Err(Error::new(ErrorKind::NotFound, problem));
        }
        live.touched = Instant::now();
        live.update(true, seen)
    }

    /// Forgets a conversation, which ends its alert. `seen` is the last event that the caller has; what comes back are
    /// those after it. Errors: `NotFound` when it is not followed.
    pub fn close(&self, key: &ConversationKey, seen: u64) -> Result<Vec<AlertEvent>, Error> {
        let live = {
            let mut all = self.live.lock();
            let live = all.remove(key);
            metrics::conversations(all.len());
            live.ok_or_else(not_followed)?
        };
        let mut live = live.lock();
        self.forget(key, &mut live);
        Ok(live.since(seen))
    }

    fn forget(&self, key: &ConversationKey, live: &mut Live) {
        live.ended = true;
        if let Some(event) = live.tracker.close() {
            self.happened(key, live, event);
        }
    }

    /// A person's note on an open alert. Errors: `NotFound` when it is not open.
    pub fn note(&self, key: &ConversationKey, alert_id: &str, note: Note) -> Result<AlertEvent, Error> {
        let none = || {
            Error::new(ErrorKind::NotFound, "no such alert is open; list the escalations for those that are")
        };
        let live = self.get(key).map_err(|_| none())?;
        let mut live = live.lock();
        if live.ended {
            return Err(none());
        }
        let open = live.tracker.alerts().open().map(|alert| alert.ordinal);
        let ordinal = open.filter(|ordinal| alert_id == key.alert_id(*ordinal)).ok_or_else(none)?;
        let event = live.tracker.note(ordinal, note).ok_or_else(none)?;
        self.happened(key, &mut live, event.clone());
        Ok(event)
    }

    fn happened(&self, key: &ConversationKey, live: &mut Live, event: AlertEvent) {
        metrics::alert(event.change.name());
        live.events.push_back(event.clone());
        if live.events.len() > EVENTS {
            live.events.pop_front();
        }
        if self.changes.receiver_count() > 0
            && let Some(escalation) = live.escalation(key)
        {
            // Nobody listening is no error.
            let _ = self.changes.send(Arc::new(Notice { escalation, event }));
        }
    }

    /// Changes from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.changes.subscribe()
    }

    /// Open alerts, the highest tier and risk first.
    pub fn escalations(&self) -> Vec<Escalation> {
        let all: Vec<_> =
            self.live.lock().iter().map(|(key, live)| (key.clone(), Arc::clone(live))).collect();
        let open = all.iter().filter_map(|(key, live)| {
            let live = live.lock();
            live.tracker.alerts().open().and_then(|_| live.escalation(key))
        });
        let mut found: Vec<Escalation> = open.collect();
        found.sort_by_cached_key(|escalation| Reverse(escalation.rank()));
        found
    }

    /// Forgets conversations that have been silent for too long.
    pub fn sweep(&self) {
        let idle = self.settings.idle;
        let silent: Vec<_> = {
            let mut all = self.live.lock();
            let silent = all.extract_if(|_, live| live.lock().touched.elapsed() >= idle).collect();
            metrics::conversations(all.len());
            silent
        };
        // Watchers are told outside the lock of the map.
        for (key, live) in silent {
            self.forget(&key, &mut live.lock());
        }
    }

    fn get(&self, key: &ConversationKey) -> Result<Arc<Mutex<Live>>, Error> {
        self.live.lock().get(key).map(Arc::clone).ok_or_else(not_followed)
    }
}

fn not_followed() -> Error {
    let problem =
        "the conversation is not followed: it was closed, or forgotten after a silence; open it again";
    Error::new(ErrorKind::NotFound, problem)
}

impl Live {
    /// Judges coming turns by the newest policy.
    fn follow(&mut self, key: &ConversationKey, newest: &Arc<Policies>) {
        if !Arc::ptr_eq(&self.policies, newest) {
            let tenant = (!key.tenant.is_empty()).then_some(&*key.tenant);
            self.tracker.follow(newest.rules(tenant, self.context.channel));
            self.policies = Arc::clone(newest);
        }
    }

    fn state(&self) -> Option<State> {
        Some(State {
            standing: self.tracker.standing()?.clone(),
            alert: self.tracker.alerts().open().cloned(),
            policy_version: self.tracker.rules().version.clone(),
        })
    }

    fn since(&self, seen: u64) -> Vec<AlertEvent> {
        self.events.iter().filter(|event| event.sequence > seen).cloned().collect()
    }

    fn update(&self, repeated: bool, seen: u64) -> Result<Update, Error> {
        let state = self.state().ok_or_else(|| Error::internal("a turn without a standing"))?;
        Ok(Update { repeated, state, events: self.since(seen) })
    }

    fn escalation(&self, key: &ConversationKey) -> Option<Escalation> {
        Some(Escalation {
            key: key.clone(),
            channel: self.context.channel,
            customer: self.context.customer.clone(),
            state: self.state()?,
            capacity: self.tracker.rules().capacity,
            updated_ms: self.updated_ms,
        })
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[path = "monitor_tests.rs"]
mod tests;
