//! The policy's file: its shape, its overrides, and what is wrong with it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::Channel;
use crate::error::Error;

use super::features::{Feature, Sign};
use super::policy::{Measures, Quiet, RecoveryRule, Rules, Source, TierRule, small_letters};
use super::risk::{ACCOUNT, Weights};
use super::signals::CUES;

/// Overrides a file may hold; each is merged and checked at every load.
const OVERRIDES: usize = 1000;

/// Rules of a tenant, a channel, or both.
pub(super) type Special = Vec<((Option<String>, Option<Channel>), Rules)>;

/// Overrides in the order in which they are laid over the base: by channel, by tenant, by both.
type Overrides = BTreeMap<(Option<String>, Option<Channel>), toml::Table>;

/// What a file says, overrides laid over the base.
pub(super) struct Read {
    pub(super) base: Rules,
    pub(super) special: Special,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    measures: MeasuresPart,
    detection: WeightsPart,
    forecast: WeightsPart,
    tiers: TiersPart,
    recovery: RecoveryPart,
    #[serde(default)]
    quiet: Vec<QuietPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasuresPart {
    half_life_turns: f64,
    tone_half_life_turns: f64,
    first_turn: f64,
    usual_turns: f64,
    usual_wait_s: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightsPart {
    base: f64,
    weights: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TiersPart {
    capacity: usize,
    cool_down_turns: usize,
    watch: TierPart,
    elevated: TierPart,
    urgent: TierPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierPart {
    source: SourcePart,
    raise: f64,
    clear: f64,
    raise_turns: usize,
    clear_turns: usize,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum SourcePart {
    Detection,
    Forecast,
    Either,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryPart {
    peak: f64,
    lift: f64,
    end: f64,
    end_when_resolved: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietPart {
    cue: String,
    words: Vec<String>,
}

/// Reads, merges and checks. Errors: `InvalidInput`, the key at fault as its field.
pub(super) fn read(text: &str) -> Result<Read, Error> {
    let mut table: toml::Table = toml::from_str(text).map_err(|e| Error::invalid("policy", plain(&e)))?;
    let overrides = overrides(table.remove("override"))?;
    let base = rules(table.clone(), "")?;
    let mut special = Vec::new();
    for (key, part) in &overrides {
        let (tenant, channel) = key;
        let mut merged = table.clone();
        // The narrower override is laid over the wider ones that it also matches.
        for wider in [(None, *channel), (tenant.clone(), None)] {
            if wider != *key
                && wider != (None, None)
                && let Some(part) = overrides.get(&wider)
            {
                lay_over(&mut merged, part);
            }
        }
        lay_over(&mut merged, part);
        let name = [tenant.as_deref(), channel.map(Channel::name)].into_iter().flatten();
        let name = format!("override for {}: ", name.collect::<Vec<_>>().join(", "));
        special.push((key.clone(), rules(merged, &name)?));
    }
    let special = with_both(special, &overrides, &table)?;
    Ok(Read { base, special })
}

/// A tenant's own rules in a channel that has an override too: both are laid over the base, the tenant's last.
fn with_both(mut special: Special, overrides: &Overrides, table: &toml::Table) -> Result<Special, Error> {
    let tenants: Vec<_> = overrides.keys().filter(|(t, c)| t.is_some() && c.is_none()).collect();
    let channels: Vec<_> = overrides.keys().filter(|(t, c)| t.is_none() && c.is_some()).collect();
    for (tenant, channel) in tenants.iter().flat_map(|t| channels.iter().map(move |c| (t, c))) {
        let key = (tenant.0.clone(), channel.1);
        if !overrides.contains_key(&key) {
            let mut merged = table.clone();
            [*channel, *tenant]
                .iter()
                .filter_map(|k| overrides.get(*k))
                .for_each(|p| lay_over(&mut merged, p));
            special.push((key, rules(merged, "overrides for a tenant and a channel together: ")?));
        }
    }
    Ok(special)
}

fn overrides(value: Option<toml::Value>) -> Result<Overrides, Error> {
    let wrong = |n: usize, problem: &str| Err(Error::invalid(format!("override[{n}]"), problem));
    let list = match value {
        None => return Ok(Overrides::new()),
        Some(toml::Value::Array(list)) if list.len() <= OVERRIDES => list,
        Some(_) => {
            return Err(Error::invalid(
                "override",
                format!("expected at most {OVERRIDES} [[override]] tables"),
            ));
        }
    };
    let mut found = Overrides::new();
    for (n, part) in list.into_iter().enumerate() {
        let toml::Value::Table(mut part) = part else { return wrong(n, "expected a table") };
        let mut take = |key: &str| match part.remove(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(Error::invalid(format!("override[{n}].{key}"), "expected a name")),
        };
        let (tenant, channel) = (take("tenant")?, take("channel")?);
        let channel = match channel {
            Some(name) => Some(channel_of(&name, &format!("override[{n}].channel"))?),
            None => None,
        };
        if tenant.is_none() && channel.is_none() {
            return wrong(n, "expected tenant, channel, or both: an override for all is the base");
        }
        if part.contains_key("version") {
            return wrong(n, "the version belongs to the whole policy");
        }
        if found.insert((tenant, channel), part).is_some() {
            return wrong(n, "there is one for this tenant and channel already");
        }
    }
    Ok(found)
}

/// Tables are merged key by key; everything else is replaced.
fn lay_over(base: &mut toml::Table, part: &toml::Table) {
    for (key, value) in part {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            _ => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

fn rules(table: toml::Table, place: &str) -> Result<Rules, Error> {
    let file: File =
        table.try_into().map_err(|e| Error::invalid("policy", format!("{place}{}", plain(&e))))?;
    build(file).map_err(|e| {
        Error::invalid(e.field().unwrap_or("policy").to_owned(), format!("{place}{}", e.public()))
    })
}

fn build(file: File) -> Result<Rules, Error> {
    if file.version.trim().is_empty() || file.version.len() > 64 {
        return Err(Error::invalid("version", "expected a name of 1 to 64 bytes"));
    }
    let t = &file.tiers;
    let tiers = [("watch", &t.watch), ("elevated", &t.elevated), ("urgent", &t.urgent)];
    let [watch, elevated, urgent] = tiers.map(|(name, part)| tier(name, part));
    between("tiers.capacity", t.capacity, 1, 10_000)?;
    between("tiers.cool_down_turns", t.cool_down_turns, 0, 1000)?;
    Ok(Rules {
        version: file.version,
        measures: measures(file.measures)?,
        detection: weights("detection", file.detection)?,
        forecast: weights("forecast", file.forecast)?,
        tiers: [watch?, elevated?, urgent?],
        cool_down_turns: t.cool_down_turns,
        recovery: recovery(&file.recovery)?,
        capacity: t.capacity,
        quiet: file.quiet.into_iter().enumerate().map(|(n, q)| quiet(n, q)).collect::<Result<_, _>>()?,
    })
}

fn measures(part: MeasuresPart) -> Result<Measures, Error> {
    let mut measures = Measures {
        half_life_turns: within("measures.half_life_turns", part.half_life_turns, 0.1, 100.0)?,
        tone_half_life_turns: within("measures.tone_half_life_turns", part.tone_half_life_turns, 0.1, 100.0)?,
        first_turn: within("measures.first_turn", part.first_turn, 0.0, 1.0)?,
        usual_turns: within("measures.usual_turns", part.usual_turns, 0.0, 1000.0)?,
        ..Measures::default()
    };
    for (name, seconds) in part.usual_wait_s {
        let key = format!("measures.usual_wait_s.{name}");
        let channel = channel_of(&name, &key)?;
        let at = Channel::ALL.iter().position(|c| *c == channel).unwrap_or(0);
        measures.usual_wait_s[at] = within(&key, seconds, 1.0, 1e8)?;
    }
    Ok(measures)
}

fn weights(name: &str, part: WeightsPart) -> Result<Weights, Error> {
    let base = within(&format!("{name}.base"), part.base, -50.0, 50.0)?;
    let mut weights = Weights { base, ..Weights::default() };
    for (code, weight) in part.weights {
        let key = format!("{name}.weights.{code:?}");
        within(&key, weight, -50.0, 50.0)?;
        if let Some(known) = code.strip_prefix(ACCOUNT) {
            weights.account.insert(known.to_owned(), weight);
            continue;
        }
        let Some(feature) = Feature::of_name(&code) else {
            return Err(Error::invalid(key, format!("there is no such feature{}", nearest(&code))));
        };
        match feature.sign() {
            Sign::Risk if weight < 0.0 => {
                return Err(Error::invalid(
                    key,
                    "is a risk: expected 0 or more, so that more of it never lowers the risk",
                ));
            }
            Sign::Protective if weight > 0.0 => {
                return Err(Error::invalid(key, "is protective: expected 0 or less"));
            }
            _ => drop(weights.features.insert(feature, weight)),
        }
    }
    Ok(weights)
}

/// The name that was probably meant.
fn nearest(code: &str) -> String {
    let names = Feature::all().map(Feature::name);
    let best = names.map(|name| (strsim::jaro_winkler(&name, code), name)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"))
}

fn tier(name: &str, part: &TierPart) -> Result<TierRule, Error> {
    let key = |what: &str| format!("tiers.{name}.{what}");
    let rule = TierRule {
        source: match part.source {
            SourcePart::Detection => Source::Detection,
            SourcePart::Forecast => Source::Forecast,
            SourcePart::Either => Source::Either,
        },
        raise: within(&key("raise"), part.raise, 0.0, 1.0)?,
        clear: within(&key("clear"), part.clear, 0.0, 1.0)?,
        raise_turns: part.raise_turns,
        clear_turns: part.clear_turns,
    };
    if rule.clear > rule.raise {
        return Err(Error::invalid(key("clear"), "expected at most raise: between the two nothing changes"));
    }
    between(&key("raise_turns"), rule.raise_turns, 1, 100)?;
    between(&key("clear_turns"), rule.clear_turns, 1, 100)?;
    Ok(rule)
}

fn recovery(part: &RecoveryPart) -> Result<RecoveryRule, Error> {
    Ok(RecoveryRule {
        peak: within("recovery.peak", part.peak, -1.0, 1.0)?,
        lift: within("recovery.lift", part.lift, 0.0, 2.0)?,
        end: within("recovery.end", part.end, -1.0, 1.0)?,
        end_when_resolved: within("recovery.end_when_resolved", part.end_when_resolved, -1.0, 1.0)?,
    })
}

fn quiet(n: usize, part: QuietPart) -> Result<Quiet, Error> {
    if !CUES.contains(&part.cue.as_str()) {
        return Err(Error::invalid(format!("quiet[{n}].cue"), "there is no such cue"));
    }
    if part.words.is_empty() || part.words.len() > 1000 || part.words.iter().any(|w| w.trim().is_empty()) {
        return Err(Error::invalid(format!("quiet[{n}].words"), "expected 1 to 1000 words or phrases"));
    }
    Ok(Quiet { cue: part.cue, words: part.words.iter().map(|w| small_letters(w.trim())).collect() })
}

fn channel_of(name: &str, key: &str) -> Result<Channel, Error> {
    let names = || Channel::ALL.map(Channel::name).join(", ");
    Channel::of_name(name)
        .ok_or_else(|| Error::invalid(key, format!("is no channel; expected one of {}", names())))
}

/// NaN lies nowhere.
fn within(key: &str, value: f64, low: f64, high: f64) -> Result<f64, Error> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(key, format!("is {value}: expected {low} to {high}")))
}

fn between(key: &str, count: usize, low: usize, high: usize) -> Result<(), Error> {
    if (low..=high).contains(&count) {
        return Ok(());
    }
    Err(Error::invalid(key, format!("is {count}: expected {low} to {high}")))
}

/// TOML's message on one line.
fn plain(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
