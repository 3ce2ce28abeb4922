//! `attune policy fit`: a policy out of a team's own history.

use super::super::paint::{BOLD, DIM, styled};
use super::super::{history, write_file, write_out};
use super::arguments::FitOptions;
use super::score::{check_outcomes, score};
use super::{parse, text};
use crate::app::Surroundings;
use crate::config::Config;
use crate::error::Error;
use crate::escalation::fit::{Dropped, PolicyFit, Settings, TargetFit, fit};
use crate::escalation::{Policies, Tier};

pub(super) fn run(options: &FitOptions, config: &Config, surroundings: &Surroundings) -> Result<(), Error> {
    if !(0.0..=1.0).contains(&options.max_false_alarms) {
        return Err(Error::invalid("--max-false-alarms", "expected a share of 0 to 1"));
    }
    let base = text(options.policy.as_deref())?;
    let policies = parse(options.policy.as_deref(), &base)?;
    let records = history::read(&options.data)?;
    check_outcomes(&records)?;
    let [cases] = score(&records, [&policies], config, surroundings)?;
    let settings = Settings { name: options.name.clone(), max_false_alarms: options.max_false_alarms };
    let fitted = fit(&cases, &base, &settings)?;
    write_file(&options.output, &fitted.policy)?;
    let path = options.output.display();
    let mut out = report(&fitted, &policies);
    out += &format!(
        "\nwrote {path}; see what it would have done with\n  attune policy backtest --data {} --with {path}\n",
        options.data.display()
    );
    write_out(out.as_bytes())
}

fn report(fitted: &PolicyFit, policies: &Policies) -> String {
    let [conversations, escalated, foreseen] = fitted.conversations;
    let mut out = format!(
        "{conversations} conversations, {escalated} escalated, {foreseen} of them could be seen coming; from {}\n",
        policies.version()
    );
    if fitted.unmarked > 0 {
        out += &format!("not used: {} escalated ones without outcome.turn\n", fitted.unmarked);
    }
    let overridden = policies.overridden().count();
    if overridden > 0 {
        out += &format!(
            "{overridden} overrides are kept as they are; check what they say of weights and tiers\n"
        );
    }
    fitted.targets.iter().for_each(|target| out += &target_report(target));
    out + &tiers_report(fitted)
}

fn tiers_report(fitted: &PolicyFit) -> String {
    let mut out = format!("\n{}\n", styled(BOLD, "tiers, on conversations that the fit had not seen"));
    for chosen in fitted.tiers.iter().rev() {
        let value = match chosen.tier {
            Tier::Urgent => format!("F1 in time {:.2}", chosen.value),
            _ => format!("told before the marked turn {:.0} %", 100.0 * chosen.value),
        };
        let limit = if chosen.within_limit { "" } else { ", more than allowed: no threshold has fewer" };
        out += &format!(
            "  {:<9} raise {:.2}  clear {:.2}  {value}, false alarms {:.1} %{limit}\n",
            chosen.tier.name(),
            chosen.raise,
            chosen.clear,
            100.0 * chosen.false_alarms
        );
    }
    if !fitted.no_longer_alone.is_empty() {
        let names: Vec<String> = fitted.no_longer_alone.iter().map(|feature| feature.name()).collect();
        out += &format!("  no longer urgent by themselves: {}\n", names.join(", "));
    }
    out
}

fn target_report(fit: &TargetFit) -> String {
    let [yes, no] = fit.turns;
    let mut out = format!(
        "\n{} {}\n",
        styled(BOLD, fit.target.name()),
        styled(DIM, &format!("{yes} turns of {}", yes + no))
    );
    out += &format!(
        "  cross-validated: PR-AUC {:.3} (before {:.3}), log-loss {:.3}, penalty {}\n  {:<28} {:>6.2}\n",
        fit.average_precision, fit.average_precision_before, fit.log_loss, fit.alpha, "base", fit.base
    );
    for weight in &fit.weights {
        let note = if weight.carried { styled(DIM, "  kept: too rare here to fit") } else { String::new() };
        out += &format!("  {:<28} {:>+6.2}{note}\n", weight.name, weight.value);
    }
    for (why, what) in [(Dropped::NoUse, "of no use here"), (Dropped::Rare, "too rare here")] {
        let names = fit.dropped.iter().filter(|(_, dropped)| *dropped == why).map(|(name, _)| name.as_str());
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            out += &format!("  {}\n", styled(DIM, &format!("{what}: {}", names.join(", "))));
        }
    }
    out
}
