//! Counts a baseline: every row of a file as drift sees it, through the path that the service takes.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};

use super::dataset::{Entry, Rows};
use super::scoring::{IN_FLIGHT, MOST_ROWS, bulk};
use crate::drift::{Observation, Reference, reference};
use crate::error::{Error, ErrorKind};
use crate::pipeline::Analyzer;

/// What was counted.
pub struct Counted {
    /// The histograms.
    pub reference: Reference,
    /// Rows that can't be read, or are too long.
    pub left_out: u64,
}

/// Counts all rows; their languages are identified, as those of texts are whose callers name none.
///
/// Errors: those of the file, those of the model that are not a row's own fault, and `InvalidInput` for too few or too many
/// rows.
pub async fn count(analyzer: &Arc<Analyzer>, rows: Rows) -> Result<Counted, Error> {
    let mut counted = Counted { reference: analyzer.empty_reference(), left_out: 0 };
    let mut seen = futures_util::stream::iter(rows).map(|entry| observe(analyzer, entry)).buffered(IN_FLIGHT);
    while let Some(seen) = seen.try_next().await? {
        match seen {
            Some(seen) => counted.reference.add(&seen),
            None => counted.left_out += 1,
        }
        if counted.reference.texts() + counted.left_out > MOST_ROWS {
            return Err(Error::invalid(
                "data",
                format!("has more than {MOST_ROWS} rows; take a sample of them"),
            ));
        }
    }
    let (found, least) = (counted.reference.texts(), reference::LEAST);
    if found < least {
        let message = format!("has {found} texts that can be read, at least {least} make a baseline");
        return Err(Error::invalid("data", message));
    }
    Ok(counted)
}

async fn observe(analyzer: &Analyzer, entry: Result<Entry, Error>) -> Result<Option<Observation>, Error> {
    let Ok(row) = entry? else { return Ok(None) };
    match analyzer.observe(&row.text, None, bulk()).await {
        Ok(seen) => Ok(Some(seen)),
        Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(None),
        Err(e) => Err(e),
    }
}
