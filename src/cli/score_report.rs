//! Where `attune score` and the report meet. There is no report yet: asking for one is refused before any work.

use super::arguments::ScoreOptions;
use crate::error::{Error, ErrorKind};
use crate::jobs::{Observer, Table, Unobserved};

/// What looks at the rows. Errors: a report that can't be made of this table.
pub(super) fn begin(options: &ScoreOptions, _: &Table) -> Result<Box<dyn Observer>, Error> {
    match &options.report {
        None => Ok(Box::new(Unobserved)),
        Some(_) => Err(Error::new(ErrorKind::Precondition, "--report: this version makes no reports")),
    }
}

/// Writes the report, when the output has its name and the checkpoint is still there.
pub(super) fn finish(_: &ScoreOptions, _: &dyn Observer) -> Result<(), Error> {
    Ok(())
}
