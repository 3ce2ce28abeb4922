//! The one place where an error becomes a gRPC status, and back again for the client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::v1;
use crate::error::{Error, ErrorKind};

/// The gRPC code of an error kind.
pub fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidInput => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Precondition => Code::FailedPrecondition,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::Overloaded => Code::ResourceExhausted,
        ErrorKind::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The error kind that a server's gRPC code stands for.
pub fn kind(code: Code) -> ErrorKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidInput,
        Code::NotFound | Code::Unimplemented => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::FailedPrecondition | Code::Aborted => ErrorKind::Precondition,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::Forbidden,
        Code::ResourceExhausted => ErrorKind::Overloaded,
        Code::DeadlineExceeded => ErrorKind::DeadlineExceeded,
        Code::Cancelled => ErrorKind::Cancelled,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ErrorKind::Internal,
    }
}

/// The error kind that a google.rpc.Code number stands for.
pub fn kind_of(number: i32) -> ErrorKind {
    kind(Code::from_i32(number))
}

/// The status of an error, with google.rpc details where a caller can use them: field violations, retry times. A defect
/// is logged here with an id, and the caller sees only that id.
pub fn status(error: &Error) -> Status {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut details = ErrorDetails::new();
    match error.kind() {
        ErrorKind::InvalidInput => {
            if let Some(field) = error.field() {
                details.add_bad_request_violation(field, error.public());
            }
        }
        ErrorKind::Overloaded | ErrorKind::Unavailable => {
            let after = error.retry_after().unwrap_or(Duration::from_secs(1));
            details.set_retry_info(Some(after));
        }
        ErrorKind::Internal => {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            tracing::error!(error.id = id, error.causes = %error.causes(), "a request failed here");
            return Status::internal(format!("internal error {id}; the service's log says more"));
        }
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Precondition
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Cancelled => {}
    }
    Status::with_error_details(code(error.kind()), error.told(), details)
}

/// A code's name, for metrics: a closed set.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// An error of one item, where the call itself goes on.
pub(super) fn item_error(error: &Error) -> v1::ItemError {
    let status = status(error);
    v1::ItemError {
        code: status.code().into(),
        message: status.message().to_owned(),
        field: error.field().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_reads_back_the_kind_that_the_server_sent() {
        for sent in ErrorKind::ALL {
            assert_eq!(kind(code(sent)), sent);
        }
    }

    #[test]
    fn overload_carries_a_retry_time_and_bad_input_its_field() {
        let overload = Error::new(ErrorKind::Overloaded, "full").with_retry_after(Duration::from_millis(40));
        let details = status(&overload).get_error_details();
        assert_eq!(details.retry_info().and_then(|r| r.retry_delay), Some(Duration::from_millis(40)));
        let bad = status(&Error::invalid("items[3].text", "too long"));
        let violations = bad.get_error_details().bad_request().unwrap().field_violations.clone();
        assert_eq!(violations[0].field, "items[3].text");
        assert_eq!(bad.message(), "items[3].text: too long");
    }

    #[test]
    fn a_defect_shows_an_id_and_no_cause() {
        let status = status(&Error::internal("secret cause"));
        assert!(status.message().starts_with("internal error "), "{}", status.message());
        assert!(!format!("{status:?}").contains("secret cause"));
    }
}
