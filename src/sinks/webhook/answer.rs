//! What an answer's status means for the event.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::sinks::Failure;

/// Longest time that a receiver may ask for; one that says more is asked again after this.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(3_600);

/// 2xx is delivered; 408, 425, 429 and 5xx may go better later; 410 is the receiver's word for "never again"; any other
/// says that this event will not be taken.
pub(super) fn verdict(status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
    let code = status.as_u16();
    match code {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500..=599 => {
            Err(Failure::Retry { error: format!("answered {code}"), after: retry_after(headers) })
        }
        410 => {
            Err(Failure::Gone { error: "answered 410: the receiver takes no more events here".to_owned() })
        }
        300..=399 => Err(Failure::permanent(format!("answered {code}: redirects are not followed"))),
        _ => Err(Failure::permanent(format!("answered {code}"))),
    }
}

/// `Retry-After` in seconds; in its other form, a date, it is read too.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.trim().parse().ok().or_else(|| until(text));
    seconds.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MOST))
}

/// Seconds until a date such as `Wed, 21 Oct 2026 07:28:00 GMT`.
fn until(date: &str) -> Option<u64> {
    let at = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    u64::try_from(at.as_second() - jiff::Timestamp::now().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(code: u16, retry: Option<&str>) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert(RETRY_AFTER, retry.parse().unwrap());
        }
        verdict(StatusCode::from_u16(code).unwrap(), &headers)
    }

    #[test]
    fn every_status_has_its_meaning() {
        for code in 100..=599 {
            let found = ask(code, None);
            let fits = match code {
                200..=299 => found.is_ok(),
                408 | 425 | 429 | 500..=599 => matches!(found, Err(Failure::Retry { after: None, .. })),
                410 => matches!(found, Err(Failure::Gone { .. })),
                _ => matches!(found, Err(Failure::Permanent { .. })),
            };
            assert!(fits, "{code}: {found:?}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let later = |seconds| {
            let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
            jiff::fmt::rfc2822::to_string(&at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap()
        };
        for (text, least, most) in [
            ("7".to_owned(), Some(7), 7),
            ("99999999".to_owned(), Some(3_600), 3_600),
            (later(100), Some(90), 100),
            (later(-100), None, 0),
            ("soon".to_owned(), None, 0),
            ("-1".to_owned(), None, 0),
        ] {
            let Err(Failure::Retry { after, .. }) = ask(503, Some(&text)) else { panic!("{text}") };
            let seconds = after.map(|after| after.as_secs());
            assert_eq!(seconds.is_some(), least.is_some(), "{text}");
            assert!(seconds.is_none_or(|s| s >= least.unwrap() && s <= most), "{text}: {seconds:?}");
        }
    }
}
