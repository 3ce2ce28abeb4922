//! What a hub's refusal means, in words that say what to do.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::{Error, ErrorKind};

/// Longest time that is waited because a hub asks for it; one that asks for more is told of instead.
pub(super) const RETRY_AFTER_MOST: Duration = Duration::from_secs(120);

/// Why a request came to nothing, and whether it may go better in a moment.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: Error,
    pub(super) passing: bool,
}

impl Trouble {
    /// May go better in a moment.
    pub(super) fn passing(error: Error) -> Self {
        Self { error, passing: true }
    }

    /// Will be the same in a moment.
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, passing: false }
    }
}

/// What was asked of whom, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    /// `owner/name`.
    pub(super) repository: &'a str,
    pub(super) revision: &'a str,
    pub(super) file: Option<&'a str>,
    /// Whether a token went along.
    pub(super) known: bool,
}

/// What a status that is no success means. `home` says whether the hub itself answers, or where it has sent us.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, asked: Asked<'_>, home: bool) -> Trouble {
    let host = asked.host;
    let code = status.as_u16();
    let text = |kind, text: String| Error::new(kind, text);
    match code {
        429 => {
            let error =
                text(ErrorKind::Overloaded, format!("{host} wants fewer requests (429); {}", later(headers)));
            Trouble::passing(with_retry(error, headers))
        }
        408 | 500..=599 => {
            let error = text(
                ErrorKind::Unavailable,
                format!("{host} has trouble of its own ({code}); try again later"),
            );
            Trouble::passing(with_retry(error, headers))
        }
        // A link that has run out: the hub gives a new one when it is asked again.
        400..=499 if !home => {
            let what = asked.file.unwrap_or("the answer");
            let problem = format!("{host} has sent us elsewhere for {what}, and was refused there ({code})");
            Trouble::passing(text(ErrorKind::Unavailable, problem))
        }
        401 => Trouble::lasting(text(ErrorKind::Unauthenticated, no_entry(headers, asked))),
        403 => Trouble::lasting(text(ErrorKind::Forbidden, no_entry(headers, asked))),
        404 => Trouble::lasting(text(ErrorKind::NotFound, missing(headers, asked))),
        _ => {
            let problem =
                format!("{host} answered {code}, which is no answer of a hub; is HF_ENDPOINT right?");
            Trouble::lasting(text(ErrorKind::Unavailable, problem))
        }
    }
}

/// Gated models say so in a header; a private one and none at all look the same to a stranger.
fn no_entry(headers: &HeaderMap, Asked { host, repository, known, .. }: Asked<'_>) -> String {
    let code = error_code(headers);
    match (code, known) {
        ("GatedRepo", false) => format!(
            "{repository} is gated: accept its terms at {host}/{repository}, and set HF_TOKEN to a token of that account"
        ),
        ("GatedRepo", true) => format!(
            "{repository} is gated, and the token's account has no access yet: accept its terms at {host}/{repository}"
        ),
        (_, false) => format!(
            "{host} gives {repository} to nobody it does not know: there is no such model, or it is private and HF_TOKEN is needed"
        ),
        (_, true) => format!(
            "{host} does not give {repository} for this token: there is no such model, or the token (HF_TOKEN, or the token \
             file) is wrong, has run out, or may not read it"
        ),
    }
}

fn missing(headers: &HeaderMap, asked: Asked<'_>) -> String {
    let Asked { host, repository, revision, file, .. } = asked;
    match (error_code(headers), file) {
        ("RevisionNotFound", _) => {
            format!("{repository} has no revision {revision}: name a branch, a tag or a commit after the @")
        }
        (_, Some(file)) => format!("{repository} has no file {file} any more, though {host} lists it"),
        ("RepoNotFound", _) => format!("there is no model {repository} at {host}; is the name right?"),
        _ => format!("{host} has no model {repository}, or it has no revision {revision}"),
    }
}

fn error_code(headers: &HeaderMap) -> &str {
    headers.get("x-error-code").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// `Retry-After` in seconds; in its other form, a date, it is read too.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().or_else(|| until(text)).map(Duration::from_secs)
}

/// Seconds until a date such as `Wed, 21 Oct 2026 07:28:00 GMT`.
fn until(date: &str) -> Option<u64> {
    let at = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    u64::try_from(at.as_second() - jiff::Timestamp::now().as_second()).ok()
}

fn later(headers: &HeaderMap) -> String {
    match retry_after(headers) {
        Some(after) => format!("try again in {} s", after.as_secs()),
        None => "try again later".to_owned(),
    }
}

fn with_retry(error: Error, headers: &HeaderMap) -> Error {
    match retry_after(headers) {
        Some(after) => error.with_retry_after(after),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> =
        Asked { host: "hub.test", repository: "acme/mood", revision: "v9", file: None, known: false };

    fn headers(code: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-error-code", code.parse().unwrap());
        headers
    }

    #[test]
    fn every_refusal_says_what_to_do_and_whether_it_passes() {
        use ErrorKind::{Forbidden, NotFound, Overloaded, Unauthenticated, Unavailable};
        let known = Asked { known: true, ..ASKED };
        let file = Asked { file: Some("model.onnx"), ..ASKED };
        for (status, code, asked, home, kind, passing, message) in [
            (401, "GatedRepo", ASKED, true, Unauthenticated, false, "set HF_TOKEN"),
            (403, "GatedRepo", known, true, Forbidden, false, "accept its terms at hub.test/acme/mood"),
            (401, "RepoNotFound", ASKED, true, Unauthenticated, false, "HF_TOKEN is needed"),
            (
                401,
                "",
                known,
                true,
                Unauthenticated,
                false,
                "the token (HF_TOKEN, or the token file) is wrong",
            ),
            (404, "RepoNotFound", ASKED, true, NotFound, false, "there is no model acme/mood at hub.test"),
            (404, "RevisionNotFound", ASKED, true, NotFound, false, "acme/mood has no revision v9"),
            (404, "", ASKED, true, NotFound, false, "or it has no revision v9"),
            (404, "EntryNotFound", file, true, NotFound, false, "no file model.onnx any more"),
            (403, "", file, false, Unavailable, true, "was refused there (403)"),
            (429, "", ASKED, true, Overloaded, true, "try again later"),
            (503, "", file, false, Unavailable, true, "trouble of its own (503)"),
            (418, "", ASKED, true, Unavailable, false, "is HF_ENDPOINT right?"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let trouble = refusal(status, &headers(code), asked, home);
            let found = trouble.error.public();
            assert_eq!((trouble.error.kind(), trouble.passing), (kind, passing), "{status} {code}: {found}");
            assert!(found.contains(message), "{status} {code}: {found}");
        }
    }

    #[test]
    fn the_time_that_a_hub_asks_for_is_read_in_both_forms() {
        let in_a_while =
            (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(100)).to_zoned(jiff::tz::TimeZone::UTC);
        let date = jiff::fmt::rfc2822::to_string(&in_a_while).unwrap();
        for (text, least, most) in [("7", 7, 7), (date.as_str(), 90, 100), ("soon", 0, 0), ("-1", 0, 0)] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            let trouble = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, ASKED, true);
            let seconds = trouble.error.retry_after().map_or(0, |after| after.as_secs());
            assert!((least..=most).contains(&seconds), "{text}: {seconds}");
        }
    }
}
