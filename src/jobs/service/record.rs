//! A job as the service knows it, and as its state file holds it.

use serde::{Deserialize, Serialize};

use super::spec::Spec;
use crate::error::{Error, ErrorKind};
use crate::jobs::checkpoint::Totals;

/// The form of the file; another version can't be read.
pub(super) const VERSION: u32 = 1;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is run; after a restart, it goes on from its last checkpoint.
    Running,
    /// Output and report are where they were wanted.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// Somebody has taken it back.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Its name, for metrics and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a job has failed, without customer text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, as far as a caller can act on it.
    #[serde(with = "kinds")]
    pub kind: ErrorKind,
    /// What is wrong, and what to do.
    pub message: String,
    /// The field of the request at fault; empty when there is none.
    pub field: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let (message, field) = (error.public().to_owned(), error.field().unwrap_or_default().to_owned());
        Self { kind: error.kind(), message, field }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub(super) version: u32,
    /// A UUID.
    pub id: String,
    /// Counts the jobs of a directory, from 1; a later job has a higher one.
    pub sequence: u64,
    /// The caller's own name for the request; empty for none.
    pub idempotency_key: String,
    /// What is asked for.
    pub spec: Spec,
    /// Where it stands.
    pub state: State,
    /// What became of the rows so far.
    pub totals: Totals,
    /// Bytes of the input that were read so far.
    pub bytes_read: u64,
    /// Bytes of the input; 0 until it is opened.
    pub bytes_total: u64,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was first run.
    pub started_ms: Option<i64>,
    /// When it ended.
    pub finished_ms: Option<i64>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// How the input was read and which columns are what, a line each, for people.
    pub notes: Vec<String>,
    /// Whether somebody wants it to end.
    pub cancelling: bool,
    /// Whether output and report are being put where they were wanted: what stands there is this job's own.
    pub publishing: bool,
    /// `id@version` that reads its texts; empty until it is first run.
    #[serde(default)]
    pub model: String,
    /// What it will write, in a form that tells places apart.
    pub(super) targets: Vec<String>,
}

mod kinds {
    //! Kinds by name: the file must be readable by later versions, whatever their order.

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::error::ErrorKind;

    pub(super) fn serialize<S: Serializer>(kind: &ErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name(*kind))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ErrorKind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = ErrorKind::ALL.into_iter().find(|kind| name(*kind) == text);
        found.ok_or_else(|| serde::de::Error::custom("is no kind of error"))
    }

    fn name(kind: ErrorKind) -> &'static str {
        match kind {
            ErrorKind::InvalidInput => "invalid_input",
            ErrorKind::NotFound => "not_found",
            ErrorKind::AlreadyExists => "already_exists",
            ErrorKind::Precondition => "precondition",
            ErrorKind::Unauthenticated => "unauthenticated",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::DeadlineExceeded => "deadline_exceeded",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_every_kind_is_read_back() {
        for kind in ErrorKind::ALL {
            let failure = Failure { kind, message: "m".into(), field: String::new() };
            let text = serde_json::to_string(&failure).unwrap();
            assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
        }
        assert!(serde_json::from_str::<Failure>(r#"{"kind":"odd","message":"","field":""}"#).is_err());
    }
}
