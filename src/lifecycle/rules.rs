//! What is measured for each state, against which borders, and why it is what it is.
//!
//! Values lie in [0, 1], but for a fall of the level, which lies in [−2, 2]. Reasons add up to the value; those of the risk
//! of leaving are its strongest, in log-odds.

use super::decay::{days, left};
use super::hysteresis::{Border, Track};
use super::level::LevelsNow;
use super::nps::{Band, CONFLICT_DAYS, IN_DOUBT, Nps};
use super::profile::Profile;
use super::recovery::REACH_DAYS;
use super::signal::{Reason, SignalKind};

/// Reasons of a signal.
pub const REASONS: usize = 5;
/// What a score of 10 says, where an outspoken recommendation says 3/4 or more: it is ticked more easily than said.
const TICKED: f64 = 0.5;

const fn state(
    (kind, end): (SignalKind, Option<SignalKind>),
    (raise, clear): (f64, f64),
    [hold_days, cool_days, lapse_days]: [f64; 3],
) -> Border {
    Border { kind, end, raise, clear, hold_days, cool_days, lapse_days }
}

/// Every state that is followed; `docs/lifecycle.md` says the same as a table. Borders are choices. A lapse is so long that
/// what carried the state has faded well below the border by then.
pub const STATES: [Border; 8] = [
    state((SignalKind::SentimentDrop, Some(SignalKind::SentimentRecovered)), (0.45, 0.20), [1.0, 7.0, 180.0]),
    state(
        (SignalKind::ChurnRiskRaised, Some(SignalKind::ChurnRiskCleared)),
        (0.30, 0.18),
        [1.0, 14.0, 180.0],
    ),
    state((SignalKind::OnboardingFriction, None), (0.35, 0.20), [0.0, 30.0, 90.0]),
    state((SignalKind::ExpansionInterest, None), (0.40, 0.20), [0.0, 30.0, 180.0]),
    state((SignalKind::RenewalRisk, None), (0.35, 0.20), [0.0, 30.0, 180.0]),
    state((SignalKind::AdvocacyCandidate, None), (0.50, 0.30), [0.0, 60.0, 240.0]),
    state((SignalKind::NpsConflict, None), (IN_DOUBT, 0.20), [0.0, 30.0, 30.0]),
    state((SignalKind::ChannelInconsistency, None), (0.45, 0.30), [0.0, 30.0, 360.0]),
];

/// What a state is measured by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Value {
    /// Against the state's borders.
    pub value: f64,
    /// Why, strongest first.
    pub reasons: Vec<Reason>,
    /// The interaction that it is about, when it is about one.
    pub subject: Option<String>,
    /// What the level is compared with.
    pub before: Option<f64>,
}

impl Value {
    fn of(reasons: Vec<Reason>) -> Self {
        Self { value: reasons.iter().map(|reason| reason.contribution).sum(), reasons, ..Self::default() }
    }
}

/// Measures the state of that kind; `None` when the profile says nothing of it. `track` is how it was left.
pub fn measure(kind: SignalKind, profile: &Profile, track: &Track) -> Option<Value> {
    let mut value = match kind {
        SignalKind::SentimentDrop => fall(profile, track, &profile.levels()?)?,
        SignalKind::ChurnRiskRaised => churn(profile)?,
        SignalKind::OnboardingFriction => Value::of(vec![profile.heard("cue.onboarding_difficulty")]),
        SignalKind::ExpansionInterest => {
            let wish = profile.heard("cue.expansion_interest");
            Value::of(vec![share(wish, staying(profile))])
        }
        SignalKind::RenewalRisk => renewal(profile),
        SignalKind::AdvocacyCandidate => advocacy(profile),
        SignalKind::NpsConflict => conflict(profile, profile.nps.as_ref()?),
        SignalKind::ChannelInconsistency => channels(profile)?,
        _ => return None,
    };
    value.reasons.retain(|reason| reason.contribution != 0.0 || reason.code == "service.recovery");
    value.reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    value.reasons.truncate(REASONS);
    Some(value)
}

/// How far the level lately lies below what the customer was used to. Once it has fallen it is held against what that was
/// then, and not against a habit that follows it down. Who has no past can't fall.
fn fall(profile: &Profile, track: &Track, levels: &LevelsNow) -> Option<Value> {
    let before = track.before.filter(|_| track.held).or(levels.used)?;
    let reason = |code: &str, contribution: f64| Reason {
        code: code.to_owned(),
        contribution,
        observations: profile.newest().to_vec(),
    };
    let used = Reason { observations: Vec::new(), ..reason("level.before", before) };
    let mut value = Value::of(vec![used, reason("level.lately", -levels.fast)]);
    value.before = Some(before);
    let recovery = profile.recovery.as_ref().filter(|r| days(r.at_ms, profile.at_ms) <= REACH_DAYS);
    value.reasons.extend(recovery.map(|recovery| Reason {
        code: "service.recovery".to_owned(),
        contribution: 0.0,
        observations: vec![recovery.id.clone()],
    }));
    Some(value)
}

fn churn(profile: &Profile) -> Option<Value> {
    let churn = profile.churn.as_ref()?;
    Some(Value { value: churn.probability, reasons: churn.reasons.clone(), ..Value::default() })
}

/// `1 − (1 − hesitation · (1 + near) / 2) · (1 − P(leave) · near)`: hesitation counts half without a near renewal, and a risk
/// of leaving only with one.
fn renewal(profile: &Profile) -> Value {
    let near = profile.renewal_near();
    let hesitation = share(profile.heard("cue.renewal_hesitation"), f64::midpoint(1.0, near));
    let risk = profile.leaving() * near;
    let rest = (1.0 - hesitation.contribution) * risk;
    let risk = Reason { code: "churn.risk".to_owned(), contribution: rest, observations: Vec::new() };
    Value::of(vec![hesitation, risk])
}

/// `(1 − (1 − advocacy) · (1 − promoter / 2)) · P(stay) · (1 + level, at most 1)`: a recommendation or a score that is not in
/// doubt, of somebody who is neither about to leave nor unhappy.
fn advocacy(profile: &Profile) -> Value {
    let content = 1.0 + profile.level.unwrap_or_default().min(0.0);
    let factor = staying(profile) * content;
    let said = profile.heard("cue.advocacy");
    let ticked = profile.nps_reason("nps.promoter", Nps::promotes);
    let rest = (1.0 - said.contribution) * TICKED;
    Value::of(vec![share(said, factor), share(ticked, rest * factor)])
}

/// The contradiction in the newest answer, by its age.
fn conflict(profile: &Profile, nps: &Nps) -> Value {
    let code = if nps.band == Band::Promoter { "nps.promoter" } else { "nps.detractor" };
    let contribution = nps.conflict * left(days(nps.at_ms, profile.at_ms), CONFLICT_DAYS);
    let reason = Reason { code: code.to_owned(), contribution, observations: vec![nps.id.clone()] };
    Value { subject: Some(nps.id.clone()), ..Value::of(vec![reason]) }
}

/// `1 − consistency`: half the level of the best channel, less half that of the worst.
fn channels(profile: &Profile) -> Option<Value> {
    let consistency = profile.consistency.as_ref()?;
    let ends = [(&consistency.worst, -0.5), (&consistency.best, 0.5)];
    let reasons = ends.map(|(channel, half)| Reason {
        code: format!("channel.{}", channel.channel),
        contribution: half * channel.level,
        observations: channel.observations.clone(),
    });
    Some(Value::of(reasons.into()))
}

/// P(stay): nobody should be asked for more, or for a recommendation, who is about to leave.
fn staying(profile: &Profile) -> f64 {
    1.0 - profile.leaving()
}

fn share(reason: Reason, factor: f64) -> Reason {
    Reason { contribution: reason.contribution * factor, ..reason }
}
