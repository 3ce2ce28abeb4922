//! The runner speaks to who types commands; callers of the service are told the same in their own terms: fields for flags,
//! their URIs for the job's own files, and no advice that only a terminal could follow.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// What the runner calls a field, and what the request does.
const FIELDS: [(&str, &str); 12] = [
    ("text-column", "spec.text_columns"),
    ("id-column", "spec.id_column"),
    ("score-column", "spec.score_column"),
    ("language-column", "spec.language_column"),
    ("time-column", "spec.time_column"),
    ("encoding", "spec.encoding"),
    ("delimiter", "spec.delimiter"),
    ("sheet", "spec.sheet"),
    ("--by", "spec.report.by_column"),
    ("--scored-at", "spec.scored_at"),
    ("file", "spec.input"),
    ("input", "spec.input"),
];

/// Advice for the terminal, and what takes its place; in this order.
const ADVICE: [(&str, &str); 14] = [
    ("run the same command again, and it goes on from its last checkpoint", "create the job again"),
    ("run the same command again, and it goes on from there", "create the job again"),
    (
        "If the file is whole, run the same command again, and it goes on; if not, get the whole file and begin again with \
         --restart",
        "Get the whole file, and create the job again",
    ),
    ("give it what it had to go on, or begin again with --restart", "create the job again"),
    ("begin again with --restart", "create the job again"),
    ("begin anew with --restart", "create the job again"),
    (", or write it anew with --restart", ""),
    ("name a place that can be written with -o", "let the service write there"),
    ("with --text-column", "in text_columns"),
    ("--text-column", "text_columns"),
    ("--encoding", "encoding"),
    ("--sheet", "sheet"),
    ("--by", "by_column"),
    ("-o", "output"),
];

/// Where the job's own files stand for something that the caller has named.
pub(super) struct Names<'a> {
    /// The files, longest first, and what the caller calls them.
    pub(super) files: Vec<(&'a Path, String)>,
    /// Whether the first row was taken for names unseen, so that a list of columns might quote a text.
    pub(super) hide_columns: bool,
}

impl Names<'_> {
    /// The error as the caller should see it. A defect stays one.
    pub(super) fn word(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Internal {
            return error;
        }
        let (field, place) = match error.field().map(|field| field.split_once(": ").unwrap_or((field, ""))) {
            Some((field, place)) => {
                let known = FIELDS.iter().find(|(name, _)| *name == field);
                (Some(known.map_or(field, |(_, field)| field).to_owned()), place.to_owned())
            }
            None => (None, String::new()),
        };
        let message = self.text(error.public());
        let message = if place.is_empty() { message } else { format!("{place}: {message}") };
        let worded = match field {
            Some(field) if error.kind() == ErrorKind::InvalidInput => Error::invalid(field, message),
            _ => Error::new(error.kind(), message),
        };
        worded.with_source(error)
    }

    /// Any message of the runner.
    pub(super) fn text(&self, message: &str) -> String {
        let mut message = message.to_owned();
        if self.hide_columns {
            let end = ["; it has ", ". It has "].iter().filter_map(|list| message.find(list)).min();
            message.truncate(end.unwrap_or(message.len()));
        }
        for (path, name) in &self.files {
            message = message.replace(&path.display().to_string(), name);
        }
        ADVICE.iter().fold(message, |message, (flag, field)| message.replace(flag, field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_for_the_terminal_becomes_advice_for_callers() {
        let work = Path::new("/jobs/work/1/output.csv");
        let names = Names { files: vec![(work, "s3://b/out.csv".into())], hide_columns: true };
        let rows = [
            (
                Error::invalid(
                    "text-column",
                    "in.csv: no column looks like free text; name one with --text-column. It has 1 id",
                ),
                Some("spec.text_columns"),
                "in.csv: no column looks like free text; name one in text_columns",
            ),
            (
                Error::invalid("--by", "the input has no column \"x\"; it has id, my text"),
                Some("spec.report.by_column"),
                "the input has no column \"x\"",
            ),
            (
                crate::jobs::part::failure(work, &std::io::ErrorKind::StorageFull.into()),
                None,
                "can't write s3://b/out.csv: no storage space; make room, then create the job again",
            ),
            (
                Error::invalid("input: row 3, place 4", "is cut off"),
                Some("spec.input"),
                "row 3, place 4: is cut off",
            ),
        ];
        for (error, field, message) in rows {
            let kind = error.kind();
            let worded = names.word(error);
            assert_eq!((worded.kind(), worded.field(), worded.public()), (kind, field, message));
        }
        let defect = names.word(Error::internal("secret"));
        assert_eq!(defect.public(), "internal error");
    }
}
