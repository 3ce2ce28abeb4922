//! A policy file with new weights and thresholds, the rest as in the policy that it is made from.

use crate::error::Error;

use super::super::labels::Target;
use super::super::policy::Policies;
use super::thresholds::Chosen;
use super::{Settings, TargetFit};

/// In front of the file.
const HEAD: &str = "\
# Fitted by `attune policy fit`: the weights, and raise and clear of each tier. The rest is as in the policy that it was
# made from. docs/escalation.md says what each key means, `attune policy backtest` what the policy would have done.
";

/// Writes the file, and reads it back: an override of the old policy may not suit the new numbers.
pub(super) fn write(
    base: &str,
    settings: &Settings,
    targets: &[TargetFit; 2],
    tiers: &[Chosen; 3],
) -> Result<String, Error> {
    let mut old: toml::Table =
        toml::from_str(base).map_err(|e| Error::invalid("policy", e.message().to_owned()))?;
    for chosen in tiers {
        let tier = old.get_mut("tiers").and_then(|tiers| tiers.get_mut(chosen.tier.name()));
        if let Some(toml::Value::Table(tier)) = tier {
            tier.insert("raise".into(), chosen.raise.into());
            tier.insert("clear".into(), chosen.clear.into());
        }
    }
    let mut text = format!("{HEAD}\nversion = {}\n", toml::Value::from(settings.name.as_str()));
    text += &part(&mut old, "measures")?;
    targets.iter().for_each(|target| text += &weights(target));
    for key in ["tiers", "recovery", "quiet", "override"] {
        text += &part(&mut old, key)?;
    }
    Policies::parse(&text)?;
    Ok(text)
}

fn part(old: &mut toml::Table, key: &str) -> Result<String, Error> {
    let Some(value) = old.remove(key) else { return Ok(String::new()) };
    let table = toml::Table::from_iter([(key.to_owned(), value)]);
    Ok(format!("\n{}", toml::to_string(&table).map_err(Error::internal)?))
}

fn weights(fit: &TargetFit) -> String {
    let what = match fit.target {
        Target::Detection => "A supervisor must see this now.",
        Target::Forecast => "It will come to that.",
    };
    let name = fit.target.name();
    let mut text = format!("\n# {what}\n[{name}]\nbase = {:.2}\n\n[{name}.weights]\n", fit.base);
    for weight in &fit.weights {
        let note = if weight.carried { " # too rare in the history to fit" } else { "" };
        text += &format!("{} = {:.2}{note}\n", toml::Value::from(weight.name.as_str()), weight.value);
    }
    text
}
