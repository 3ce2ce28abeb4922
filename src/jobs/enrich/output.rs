//! One row per customer, to be loaded back into the CRM that the history came from.
//!
//! CSV that spreadsheets open without harm. Numbers are as of the given time, rounded to four places.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::jobs::write::csv::write_safe;
use crate::jobs::{part, times};
use crate::storage::{Customer, CustomerKey, Store};

/// The columns.
const HEAD: [&str; 9] = [
    "customer",
    "sentiment_level",
    "momentum",
    "lifecycle_stage",
    "churn_risk",
    "active_signals",
    "interactions",
    "last_interaction_at",
    "profile_as_of",
];
/// Most customers of an output: their names are held in memory, some 100 bytes each.
const CUSTOMERS: usize = 1_000_000;

/// The customers of a file, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Named(BTreeSet<String>);

impl Named {
    /// Notes a customer. Errors: `InvalidInput` above the bound.
    pub(super) fn note(&mut self, customer: &str) -> Result<(), Error> {
        if !self.0.contains(customer) {
            self.0.insert(customer.to_owned());
        }
        if self.0.len() > CUSTOMERS {
            let problem =
                format!("names more than {CUSTOMERS} customers, for each of which --output has a row");
            return Err(Error::invalid("from", format!("{problem}; leave --output away, or split the file")));
        }
        Ok(())
    }
}

/// Writes the customers as they stand at `now_ms`; how many there are. The file has its name when it is whole.
///
/// Errors: those of the store and of the file.
pub(super) async fn write(
    store: &dyn Store,
    tenant: &str,
    named: &Named,
    now_ms: i64,
    path: &Path,
) -> Result<u64, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = std::path::PathBuf::from(name);
    let failed = |e: std::io::Error| part::failure(path, &e);
    let mut out = BufWriter::new(File::create(&new).map_err(failed)?);
    out.write_all(&line(HEAD)).map_err(failed)?;
    let mut written = 0;
    for customer in &named.0 {
        // Those of whom nothing could be recorded, and those who were erased, are not there.
        if let Some(held) = store.customer(&CustomerKey::new(tenant, customer.as_str())).await? {
            out.write_all(&line(row(&held, now_ms).each_ref().map(String::as_str))).map_err(failed)?;
            written += 1;
        }
    }
    let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    part::rename(&new, path)?;
    Ok(written)
}

fn line<'c>(cells: impl IntoIterator<Item = &'c str>) -> Vec<u8> {
    let mut line = Vec::new();
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        write_safe(cell, &mut line);
    }
    line.push(b'\n');
    line
}

fn row(customer: &Customer, now_ms: i64) -> [String; 9] {
    let profile = customer.profile.at(now_ms);
    let heard = profile.observations > 0;
    let signals: Vec<&str> = customer.active.iter().map(|kind| kind.name()).collect();
    let at = |at_ms: i64| if heard { times::written_out(at_ms) } else { String::new() };
    [
        customer.key.customer.clone(),
        profile.level.map(rounded).unwrap_or_default(),
        if heard { rounded(profile.momentum) } else { String::new() },
        profile.stage.map(|stage| stage.name().to_owned()).unwrap_or_default(),
        profile.churn.as_ref().map(|churn| rounded(churn.probability)).unwrap_or_default(),
        signals.join(";"),
        profile.observations.to_string(),
        at(profile.as_of_ms),
        at(profile.at_ms),
    ]
}

/// To four places; no `-0`.
fn rounded(value: f64) -> String {
    let rounded = (value * 10_000.0).round() / 10_000.0;
    (rounded + 0.0).to_string()
}

/// Errors: `AlreadyExists` for an output that is there, unless it may be written over.
pub(super) fn check_free(path: &Path, overwrite: bool) -> Result<(), Error> {
    if path.exists() && !overwrite {
        let message = "is already there; name another output, or write over it with --overwrite";
        return Err(Error::new(ErrorKind::AlreadyExists, format!("{}: {message}", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Account, Observation, Profile, SignalKind};

    #[test]
    fn a_row_is_safe_for_spreadsheets_and_says_how_the_customer_stands_at_the_time() {
        let observation = Observation {
            id: "1".into(),
            at_ms: 1_711_879_353_000,
            channel: "email".into(),
            score: Some(-0.9),
            cues: vec![("churn_intent".into(), 0.8)],
            nps: None,
            csat: None,
            escalation: 0.0,
            recovered: false,
        };
        let customer = Customer {
            key: CustomerKey::new("", "=HYPERLINK(\"x\")"),
            account: Account::default(),
            profile: Profile::of(&[observation], &Account::default()),
            active: vec![SignalKind::SentimentDrop, SignalKind::ChurnRiskRaised],
            updated_ms: 0,
        };
        let cells = row(&customer, 1_711_879_353_000 + 3_600_000);
        let text = String::from_utf8(line(cells.each_ref().map(String::as_str))).unwrap();
        assert!(text.starts_with("\"'=HYPERLINK(\"\"x\"\")\",-0."), "{text}");
        let end = ",sentiment_drop;churn_risk_raised,1,2024-03-31T10:02:33Z,2024-03-31T11:02:33Z\n";
        assert!(text.ends_with(end) && text.contains(",retention,0."), "{text}");
        assert_eq!(rounded(-0.000_01), "0");
    }

    #[test]
    fn a_customer_without_interactions_has_empty_cells() {
        let account = Account { stage: Some(crate::lifecycle::Stage::Growth), ..Account::default() };
        let profile = Profile::of(&[], &account);
        let key = CustomerKey::new("", "ann");
        let customer = Customer { key, account, profile, active: Vec::new(), updated_ms: 0 };
        assert_eq!(row(&customer, 5), ["ann", "", "", "growth", "", "", "0", "", ""]);
    }
}
