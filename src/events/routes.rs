//! Which sinks get which kinds of events.

use super::{ASSESSMENT, kinds};
use crate::error::Error;

/// Which sinks get which kinds of events; asked when an event is written, so that it is kept once for each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Every kind that anybody gets, with the sinks in the order of the configuration.
    routes: Vec<(&'static str, Vec<String>)>,
}

impl Routes {
    /// Routes to each sink, by its name, the kinds that its patterns name: a kind's name, or a part of it with `*` for any
    /// letters. Assessments are named in full, or not meant: there is one for each message, and who asks for `*` wants
    /// to hear what has changed. Error: `InvalidInput` for a pattern that names no kind.
    pub fn try_new<'a>(sinks: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<Self, Error> {
        let mut routes: Vec<(&'static str, Vec<String>)> = kinds().map(|kind| (kind, Vec::new())).collect();
        for (sink, patterns) in sinks {
            let unknown = patterns.iter().find(|pattern| !kinds().any(|kind| names(pattern, kind)));
            if let Some(pattern) = unknown {
                return Err(unnamed(sink, pattern));
            }
            let wanted = |kind: &str| patterns.iter().any(|pattern| names(pattern, kind));
            for (_, names) in routes.iter_mut().filter(|(kind, _)| wanted(kind)) {
                names.push(sink.to_owned());
            }
        }
        routes.retain(|(_, sinks)| !sinks.is_empty());
        Ok(Self { routes })
    }

    /// The sinks that get events of this kind.
    pub fn events_for(&self, kind: &str) -> impl Iterator<Item = &str> {
        let found = self.routes.iter().find(|(routed, _)| *routed == kind);
        found.into_iter().flat_map(|(_, sinks)| sinks.iter().map(String::as_str))
    }

    /// The kinds that a sink gets.
    pub fn kinds_of(&self, sink: &str) -> impl Iterator<Item = &'static str> {
        self.routes.iter().filter(move |(_, sinks)| sinks.iter().any(|s| s == sink)).map(|(kind, _)| *kind)
    }
}

fn unnamed(sink: &str, pattern: &str) -> Error {
    let known = kinds().collect::<Vec<_>>().join(", ");
    let problem =
        format!("{pattern:?} names no event; there are {known}, and `*` for a part of a signal's name");
    Error::invalid(format!("sinks.{sink}.events"), problem)
}

fn names(pattern: &str, kind: &str) -> bool {
    if kind == ASSESSMENT { pattern == kind } else { fits(pattern.as_bytes(), kind.as_bytes()) }
}

/// Whether the pattern covers the name. Goes back to the last `*` only, which is enough for patterns without classes: the
/// time is at most the product of the lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if name.get(n) == Some(byte) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, eaten)) = star else { return false };
                star = Some((at, eaten + 1));
                (p, n) = (at + 1, eaten + 1);
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}
