//! The closed set of error kinds, and the one error type that crosses module borders.
//!
//! Every module's own error converts into [`Error`] and says its [`ErrorKind`] there; transports (gRPC status, exit
//! code) derive from the kind, in one place each, in matches without a `_` arm. The `public` message goes
//! to the caller and never holds customer text; the `source` goes to the log.

use std::time::Duration;

/// What went wrong, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is at fault: fix it and send it again.
    InvalidInput,
    /// The thing that was named does not exist.
    NotFound,
    /// The thing to create is already there.
    AlreadyExists,
    /// The system's state does not allow it (a corrupt model, a missing library).
    Precondition,
    /// No or wrong credentials.
    Unauthenticated,
    /// The credentials don't allow it.
    Forbidden,
    /// No room for more work now: retry later.
    Overloaded,
    /// The caller's deadline passed.
    DeadlineExceeded,
    /// The caller went away or took the request back.
    Cancelled,
    /// A part that is needed is not there now: retry later.
    Unavailable,
    /// A defect here.
    Internal,
}

impl ErrorKind {
    /// Every kind, for tests of the tables.
    pub const ALL: [Self; 11] = [
        Self::InvalidInput,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Precondition,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Overloaded,
        Self::DeadlineExceeded,
        Self::Cancelled,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The process exit code, after `sysexits.h`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InvalidInput => 65,
            Self::NotFound => 66,
            Self::AlreadyExists => 73,
            Self::Precondition | Self::Internal => 70,
            Self::Unauthenticated | Self::Forbidden => 77,
            Self::Overloaded | Self::DeadlineExceeded => 75,
            Self::Cancelled => 130,
            Self::Unavailable => 69,
        }
    }
}

/// An error with a kind, a message for the caller, and the cause for the log.
#[derive(Debug, thiserror::Error)]
#[error("{public}")]
pub struct Error {
    kind: ErrorKind,
    public: String,
    field: Option<String>,
    retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `public` message goes to the caller.
    pub fn new(kind: ErrorKind, public: impl Into<String>) -> Self {
        Self { kind, public: public.into(), field: None, retry_after: None, source: None }
    }

    /// A defect: callers see only "internal error".
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal error").with_source(source)
    }

    /// A file or stream, called `name` in the message, that could not be read: not there, or else not available.
    pub fn unread(name: impl std::fmt::Display, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Unavailable,
        };
        Self::new(kind, format!("{name}: {error}"))
    }

    /// An error in the request's `field`, a path such as `items[3].text`.
    pub fn invalid(field: impl Into<String>, public: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorKind::InvalidInput, public) }
    }

    /// Puts `place` in front of the field, for a field that lies in something larger.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.field = self.field.map(|field| format!("{place}.{field}"));
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the time after which a retry makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// What went wrong, as far as a caller can act on it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message for the caller; holds no customer text.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The request field at fault, when there is one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The message, behind the field at fault when there is one.
    pub fn told(&self) -> String {
        self.field.as_ref().map_or_else(|| self.public.clone(), |field| format!("{field}: {}", self.public))
    }

    /// When a retry makes sense, when that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The causes, outermost first, joined by `: `, for the log.
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_exits_with_a_code_that_shells_can_tell_from_success() {
        for kind in ErrorKind::ALL {
            assert!(kind.exit_code() >= 64, "{kind:?}");
        }
    }

    #[test]
    fn causes_are_listed_from_the_outermost_to_the_root() {
        let root = std::io::Error::other("disk full");
        let error = Error::internal(Error::new(ErrorKind::Unavailable, "store").with_source(root));
        assert_eq!(error.causes(), "store: disk full");
        assert_eq!(error.public(), "internal error");
    }
}
