//! Reads conversations: each turn through the analyzer, then one after the other through the escalation tracker.
//!
//! Turns are read in parallel and heard in their order. Customers', agents' and supervisors' turns are read; bots' and
//! systems' are not, for nobody feels anything in them.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;

use super::analyzer::{Analyzer, Call};
use super::options::{AnalysisOptions, ResolvedOptions};
use crate::batching::Entrance;
use crate::domain::{Assessment, Conversation, Role, Turn};
use crate::error::Error;
use crate::escalation::risk::Account;
use crate::escalation::trajectory::Trajectory;
use crate::escalation::{AlertEvent, Heard, Policies, Rules, Standing, Tracker, TurnSignals};

/// Turns of one conversation that are in flight at once.
const TURNS_IN_FLIGHT: usize = 64;

/// The policies in force; a reload replaces them for turns to come.
pub type PolicySource = watch::Receiver<Arc<Policies>>;

/// A conversation that was read.
pub struct ConversationReading {
    /// One per turn.
    pub turns: Vec<TurnReading>,
    /// Participants in the order of their first turn.
    pub participants: Vec<Participant>,
    /// Every change of an alert.
    pub events: Vec<AlertEvent>,
    /// The state at the end.
    pub tracker: Tracker,
}

/// A turn that was read.
pub struct TurnReading {
    /// `None` for a turn that is not read.
    pub assessment: Option<Assessment>,
    /// How the conversation stood after it.
    pub standing: Standing,
}

/// One participant's part.
pub struct Participant {
    /// The caller's id.
    pub id: String,
    /// What they are.
    pub role: Role,
    /// Their turns, read or not.
    pub turn_count: usize,
    /// Their readable turns; of customers only.
    pub trajectory: Trajectory,
}

/// What a turn gives: its assessment as the caller wants it, and what escalation hears in it.
pub struct Listened {
    /// `None` for a turn that is not read.
    pub assessment: Option<Assessment>,
    /// For the tracker.
    pub heard: Heard,
}

/// Options of a conversation's turns: escalation always hears every label at the model's own thresholds.
#[derive(Debug, Clone)]
pub struct TurnOptions {
    hearing: ResolvedOptions,
    wanted: Option<ResolvedOptions>,
}

impl TurnOptions {
    /// Checks what the caller wants of each turn. Errors: `InvalidInput`, the field below `options`.
    pub fn resolve(wanted: &AnalysisOptions, analyzer: &Analyzer) -> Result<Self, Error> {
        let all = AnalysisOptions { all_labels: true, ..AnalysisOptions::default() };
        let plain = *wanted == AnalysisOptions::default();
        let wanted = wanted.resolve(analyzer.manifest())?;
        Ok(Self { hearing: all.resolve(analyzer.manifest())?, wanted: (!plain).then_some(wanted) })
    }
}

/// Reads one turn. Errors: as [`Analyzer::analyze`].
pub async fn listen(
    analyzer: &Analyzer,
    rules: &Rules,
    turn: &Turn,
    language: Option<&str>,
    options: &TurnOptions,
    call: Call,
) -> Result<Listened, Error> {
    let (role, at_ms) = (turn.role, turn.at_ms);
    if matches!(role, Role::Bot | Role::System) {
        return Ok(Listened { assessment: None, heard: Heard { role, at_ms, signals: None } });
    }
    let both = (&options.hearing, options.wanted.as_ref());
    let (mut assessment, wanted) = analyzer.analyze_both(&turn.text, language, both, call).await?;
    let quiet = |label: &str, spans: &[_]| rules.is_quiet(&turn.text, label, spans);
    let signals = TurnSignals::of(&turn.text, &assessment, quiet);
    match wanted {
        Some(wanted) => assessment = wanted,
        None => drop_unpredicted(&mut assessment),
    }
    Ok(Listened { assessment: Some(assessment), heard: Heard { role, at_ms, signals } })
}

/// Leaves the labels that a caller without options of their own gets.
fn drop_unpredicted(assessment: &mut Assessment) {
    assessment.emotions.retain(|label| label.predicted);
    assessment.cues.retain(|label| label.predicted);
    for head in &mut assessment.other_heads {
        head.labels.retain(|label| label.predicted);
    }
    assessment.other_heads.retain(|head| !head.labels.is_empty());
}

/// Reads a whole conversation. Errors: as [`Analyzer::analyze`], the turn's place in the field.
pub async fn read(
    analyzer: &Analyzer,
    rules: &Arc<Rules>,
    conversation: &Conversation,
    account: Account,
    options: &TurnOptions,
    call: Call,
) -> Result<ConversationReading, Error> {
    let language = conversation.language.as_deref();
    // Futures that have not begun cost little: a closure in the stream would have to be general over lifetimes.
    // The first turn that is read asks for room; the others follow it in, as a long text's later windows do.
    let first = conversation.turns.iter().position(|turn| !matches!(turn.role, Role::Bot | Role::System));
    let work = conversation.turns.iter().enumerate().map(|(place, turn)| {
        let entrance = if Some(place) == first { call.entrance } else { Entrance::Wait };
        listen(analyzer, rules, turn, language, options, Call { entrance, ..call })
    });
    let mut listened = stream::iter(work.collect::<Vec<_>>()).buffered(TURNS_IN_FLIGHT);
    let mut tracker = Tracker::new(Arc::clone(rules), conversation.channel, account);
    let (mut turns, mut participants) = (Vec::new(), Participants::default());
    while let Some(next) = listened.next().await {
        let Listened { assessment, heard } =
            next.map_err(|e| e.within(&format!("turns[{}]", turns.len())))?;
        participants.push(&conversation.turns[turns.len()], turns.len(), &heard);
        turns.push(TurnReading { assessment, standing: tracker.push(heard) });
    }
    let events = turns.iter().filter_map(|turn| turn.standing.event.clone()).collect();
    Ok(ConversationReading { turns, participants: participants.0, events, tracker })
}

#[derive(Default)]
struct Participants(Vec<Participant>);

impl Participants {
    fn push(&mut self, turn: &Turn, place: usize, heard: &Heard) {
        let known = self.0.iter().position(|p| p.id == turn.participant && p.role == turn.role);
        let at = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push(Participant {
                id: turn.participant.clone(),
                role: turn.role,
                turn_count: 0,
                trajectory: Trajectory::default(),
            });
        }
        let participant = &mut self.0[at];
        participant.turn_count += 1;
        if turn.role == Role::Customer
            && let Some(signals) = &heard.signals
        {
            participant.trajectory.push(signals.point(place));
        }
    }
}
