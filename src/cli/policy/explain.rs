//! `attune policy explain`: what a policy listens to, and why a conversation stands where it does.

use std::path::Path;
use std::sync::Arc;

use super::super::paint::{BOLD, DIM, bar, styled, visible};
use super::super::{history, write_out};
use super::arguments::ExplainOptions;
use super::policies;
use super::score::score;
use crate::app::Surroundings;
use crate::config::Config;
use crate::domain::{Channel, Role};
use crate::error::{Error, ErrorKind};
use crate::escalation::features::{Feature, Sign};
use crate::escalation::policy::{Source, TierRule};
use crate::escalation::replay::Case;
use crate::escalation::risk::ACCOUNT;
use crate::escalation::{Policies, Risk, Rules, Standing, Tier};

/// Reasons that are shown for a turn.
const REASONS: usize = 4;

pub(super) fn run(
    options: &ExplainOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let policies = policies(options.policy.as_deref())?;
    if let (Some(data), Some(id)) = (&options.data, &options.conversation) {
        let out = conversation(data, id, &policies, config, surroundings)?;
        return write_out(out.as_bytes());
    }
    let channel = match &options.channel {
        None => Channel::Unknown,
        Some(name) => Channel::of_name(name).ok_or_else(|| {
            Error::invalid(
                "--channel",
                format!("expected one of {}", Channel::ALL.map(Channel::name).join(", ")),
            )
        })?,
    };
    write_out(meaning(&policies.rules(options.tenant.as_deref(), channel)).as_bytes())
}

fn meaning(rules: &Rules) -> String {
    let mut out = format!("{}\n\n", styled(BOLD, &rules.version));
    out += &styled(
        DIM,
        &format!("{:<28} {:>9} {:>9}  {}\n", "feature, from 0 to 1", "detection", "forecast", "meaning"),
    );
    for feature in Feature::all() {
        let sign = if feature.sign() == Sign::Protective { " (protective)" } else { "" };
        let weights = [&rules.detection, &rules.forecast].map(|weights| weights.features.get(&feature));
        out += &row(&feature.name(), weights, &format!("{}{sign}", feature.meaning()));
    }
    let known = rules.detection.account.keys().chain(rules.forecast.account.keys());
    for name in known.collect::<std::collections::BTreeSet<_>>() {
        let weights = [&rules.detection, &rules.forecast].map(|weights| weights.account.get(name));
        out += &row(&format!("{ACCOUNT}{name}"), weights, "what the caller knows of the account");
    }
    out += &row(
        "base",
        [Some(&rules.detection.base), Some(&rules.forecast.base)],
        "log-odds without any feature",
    );
    out += "\n";
    for (tier, rule) in Tier::RAISED.iter().zip(&rules.tiers).rev() {
        out += &tier_line(*tier, rule, rules);
    }
    out + &rest(rules)
}

fn row(name: &str, weights: [Option<&f64>; 2], meaning: &str) -> String {
    let [detection, forecast] = weights.map(|weight| weight.map_or_else(String::new, |w| format!("{w:+.2}")));
    let line = format!("{name:<28} {detection:>9} {forecast:>9}  {meaning}");
    format!("{}\n", if detection.is_empty() && forecast.is_empty() { styled(DIM, &line) } else { line })
}

fn tier_line(tier: Tier, rule: &TierRule, rules: &Rules) -> String {
    let source = match rule.source {
        Source::Detection => "detection",
        Source::Forecast => "forecast",
        Source::Either => "detection or forecast",
    };
    let turns = |count: usize| if count == 1 { "1 turn".to_owned() } else { format!("{count} turns") };
    let line = format!(
        "{} raised when {source} reaches {:.0} % for {}, held until it is below {:.0} % for {}\n",
        styled(BOLD, &format!("{:<9}", tier.name())),
        100.0 * rule.raise,
        turns(rule.raise_turns),
        100.0 * rule.clear,
        turns(rule.clear_turns)
    );
    let names: Vec<String> = rules.alone(tier).into_iter().map(Feature::name).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    line + &styled(DIM, &format!("          alone enough, at full strength: {names}\n"))
}

fn rest(rules: &Rules) -> String {
    let recovery = &rules.recovery;
    let mut out = format!(
        "\nafter an alert's end, watch and elevated rest for {} customer turns; {} alerts of a tenant at the same time\n",
        rules.cool_down_turns, rules.capacity
    );
    out += &format!(
        "recovered: the lowest score at most {:+.2}, the end {:.2} better and at least {:+.2}, or {:+.2} once resolved\n",
        recovery.peak, recovery.lift, recovery.end, recovery.end_when_resolved
    );
    for quiet in &rules.quiet {
        out += &format!("quiet for {}: {}\n", quiet.cue, quiet.words.join(", "));
    }
    out
}

fn conversation(
    data: &Path,
    id: &str,
    policies: &Policies,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<String, Error> {
    let mut records = history::read(data)?;
    records.retain(|record| record.conversation.id == id);
    let [cases] = score(&records, [policies], config, surroundings)?;
    let missing =
        || Error::new(ErrorKind::NotFound, format!("{}: no conversation has this id", data.display()));
    let case = cases.first().ok_or_else(missing)?;
    Ok(turns(case, &case.rules(policies)))
}

fn turns(case: &Case, rules: &Arc<Rules>) -> String {
    let mut out =
        format!("{} · {} · {}\n", styled(BOLD, &visible(&case.id)), case.channel.name(), rules.version);
    for (turn, (heard, standing)) in case.turns.iter().zip(case.standings(rules)).enumerate() {
        let role = heard.role.name();
        if heard.role != Role::Customer {
            out += &styled(DIM, &format!("\n{turn:>3} {role}\n"));
            continue;
        }
        out += &format!(
            "\n{turn:>3} {} {}{}\n",
            styled(BOLD, role),
            standing.tier.name(),
            notes(case, turn, &standing)
        );
        if heard.signals.is_none() {
            out += "    could not be read\n";
            continue;
        }
        out += &risk("detection", &standing.detection);
        out += &risk("forecast", &standing.forecast);
    }
    out
}

fn notes(case: &Case, turn: usize, standing: &Standing) -> String {
    let event =
        standing.event.as_ref().map(|event| format!("alert {} {}", event.alert.ordinal, event.change.name()));
    let recovered = standing.recovery.map(|_| "recovered".to_owned());
    let marked = (case.outcome.turn == Some(turn)).then(|| "marked as the escalation".to_owned());
    let onset = (case.outcome.forecastable_turn == Some(turn)).then(|| "marked as where it shows".to_owned());
    let notes = [event, recovered, marked, onset].into_iter().flatten();
    notes.map(|note| format!(" · {note}")).collect()
}

fn risk(name: &str, risk: &Risk) -> String {
    let p = risk.probability().get();
    let mut line = format!("    {name:<9} {:>3.0} % {} base {:+.1}", 100.0 * p, bar(p), risk.base);
    for reason in risk.reasons.iter().take(REASONS) {
        line += &format!(", {} {:+.1}", reason.code, reason.contribution);
    }
    let more = risk.reasons.len().saturating_sub(REASONS);
    if more > 0 {
        line += &styled(DIM, &format!(", {more} more"));
    }
    line + "\n"
}
