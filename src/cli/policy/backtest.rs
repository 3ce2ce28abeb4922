//! `attune policy backtest`: what a policy would have done, beside another when one is given.

use serde::Serialize;

use super::super::paint::{BOLD, DIM, styled};
use super::super::{history, write_file, write_out};
use super::arguments::BacktestOptions;
use super::policies;
use super::score::{check_outcomes, score};
use crate::app::Surroundings;
use crate::config::Config;
use crate::error::Error;
use crate::escalation::Policies;
use crate::escalation::backtest::{Backtest, MEASURES, Number, Unit, chart};

/// Width of a policy's column.
const COLUMN: usize = 26;

/// Everything that was measured.
#[derive(Serialize)]
struct Report<'a> {
    current: &'a Backtest,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<&'a Backtest>,
}

pub(super) fn run(
    options: &BacktestOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let current = policies(options.policy.as_deref())?;
    let candidate = options.with.as_deref().map(|path| policies(Some(path))).transpose()?;
    let records = history::read(&options.data)?;
    check_outcomes(&records)?;
    let test = |cases: &[_], policies: &Policies| Backtest::of(cases, policies, options.resamples as usize);
    let tests = match &candidate {
        None => {
            let [cases] = score(&records, [&current], config, surroundings)?;
            vec![test(&cases, &current)]
        }
        Some(candidate) => {
            let [old, new] = score(&records, [&current, candidate], config, surroundings)?;
            vec![test(&old, &current), test(&new, candidate)]
        }
    };
    let all: Vec<&Backtest> = tests.iter().collect();
    if let Some(path) = &options.json {
        let report = Report { current: all[0], candidate: all.get(1).copied() };
        write_file(path, &format!("{}\n", serde_json::to_string_pretty(&report).map_err(Error::internal)?))?;
    }
    if let Some(path) = &options.chart {
        write_file(path, &chart::precision_and_recall(&all)?)?;
    }
    write_out(table(&all).as_bytes())
}

fn table(tests: &[&Backtest]) -> String {
    let first = tests[0];
    let mut out = format!(
        "{} conversations on {} days, {} escalated, {} with a marked turn, {} could be seen coming\n\n",
        first.conversations, first.days, first.escalated, first.marked, first.foreseeable
    );
    let heads = tests.iter().map(|test| styled(BOLD, &format!("{:<COLUMN$}", test.version)));
    out += &format!("{:<43}{}\n", "", heads.collect::<String>().trim_end());
    for (n, measure) in MEASURES.iter().enumerate() {
        let cells = tests.iter().map(|test| cell(&test.numbers[n], measure.unit));
        out += &format!("{:<42} {}\n", measure.meaning, cells.collect::<String>().trim_end());
    }
    out
}

fn cell(number: &Number, unit: Unit) -> String {
    let Some(value) = number.value else { return format!("{:<COLUMN$}", "–") };
    let shown = of_unit(value, unit);
    let interval = number.interval.map_or_else(String::new, |[low, high]| {
        format!(" [{}, {}]", of_unit(low, unit).trim_end_matches(" %"), of_unit(high, unit))
    });
    let pad = COLUMN.saturating_sub(shown.chars().count() + interval.chars().count());
    format!("{shown}{}{}", styled(DIM, &interval), " ".repeat(pad))
}

fn of_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Score => format!("{value:.3}"),
        Unit::Share => format!("{:.0} %", 100.0 * value),
        Unit::Count => format!("{value:.1}"),
        Unit::Minutes if value >= 2880.0 => format!("{:.1} d", value / 1440.0),
        Unit::Minutes if value >= 120.0 => format!("{:.1} h", value / 60.0),
        Unit::Minutes => format!("{value:.0} min"),
    }
}
