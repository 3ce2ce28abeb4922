//! Between protobuf and the service's jobs, both ways; nowhere else.

use super::{convert, status, v1};
use crate::error::Error;
use crate::jobs::checkpoint::Totals;
use crate::jobs::read::FileFormat;
use crate::jobs::service::{Failure, Record, ReportSpec, Spec, State};
use crate::jobs::write::FormatName;

/// A request as the service takes it. Errors: `InvalidInput` with the field.
pub(super) fn spec(from: v1::JobSpec) -> Result<Spec, Error> {
    let language = convert::language(&from.language).map_err(|e| e.within("spec"))?.map(ToOwned::to_owned);
    Ok(Spec {
        output_format: output_format(from.output_format)?,
        input_format: input_format(from.input_format)?,
        delimiter: delimiter(&from.delimiter)?,
        language,
        input: from.input,
        output: from.output,
        byte_order_mark: from.byte_order_mark,
        keep_formulas: from.keep_formulas,
        text_columns: from.text_columns,
        id_column: given(from.id_column),
        score_column: given(from.score_column),
        language_column: given(from.language_column),
        time_column: given(from.time_column),
        no_detect: from.no_detect,
        encoding: given(from.encoding),
        sheet: given(from.sheet),
        scored_at: given(from.scored_at),
        report: from.report.map(|report| ReportSpec {
            uri: report.uri,
            by_column: given(report.by_column),
            no_redact: report.no_redact,
        }),
        model: given(from.model),
    })
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn delimiter(text: &str) -> Result<Option<char>, Error> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Ok(None),
        (Some(one), None) if one.is_ascii() => Ok(Some(one)),
        _ => Err(Error::invalid("spec.delimiter", "expected one ASCII character")),
    }
}

fn output_format(number: i32) -> Result<Option<FormatName>, Error> {
    match v1::OutputFormat::try_from(number) {
        Ok(v1::OutputFormat::Unspecified) => Ok(None),
        Ok(v1::OutputFormat::Csv) => Ok(Some(FormatName::Csv)),
        Ok(v1::OutputFormat::Jsonl) => Ok(Some(FormatName::Jsonl)),
        Ok(v1::OutputFormat::Parquet) => Ok(Some(FormatName::Parquet)),
        Err(_) => Err(Error::invalid(
            "spec.output_format",
            format!("{number} is not an OutputFormat; expected 0 to 3"),
        )),
    }
}

fn input_format(number: i32) -> Result<Option<FileFormat>, Error> {
    match v1::InputFormat::try_from(number) {
        Ok(v1::InputFormat::Unspecified) => Ok(None),
        Ok(v1::InputFormat::Csv) => Ok(Some(FileFormat::Csv)),
        Ok(v1::InputFormat::Tsv) => Ok(Some(FileFormat::Tsv)),
        Ok(v1::InputFormat::Jsonl) => Ok(Some(FileFormat::Jsonl)),
        Ok(v1::InputFormat::Parquet) => Ok(Some(FileFormat::Parquet)),
        Ok(v1::InputFormat::Xlsx) => Ok(Some(FileFormat::Xlsx)),
        Ok(v1::InputFormat::Lines) => Ok(Some(FileFormat::Lines)),
        Err(_) => Err(Error::invalid(
            "spec.input_format",
            format!("{number} is not an InputFormat; expected 0 to 6"),
        )),
    }
}

/// The state that a list is to hold; `None` for all.
pub(super) fn state(number: i32) -> Result<Option<State>, Error> {
    match v1::JobState::try_from(number) {
        Ok(v1::JobState::Unspecified) => Ok(None),
        Ok(v1::JobState::Queued) => Ok(Some(State::Queued)),
        Ok(v1::JobState::Running) => Ok(Some(State::Running)),
        Ok(v1::JobState::Succeeded) => Ok(Some(State::Succeeded)),
        Ok(v1::JobState::Failed) => Ok(Some(State::Failed)),
        Ok(v1::JobState::Cancelled) => Ok(Some(State::Cancelled)),
        Err(_) => Err(Error::invalid("state", format!("{number} is not a JobState; expected 0 to 5"))),
    }
}

/// A job as callers see it.
pub(super) fn job(from: &Record) -> v1::Job {
    v1::Job {
        id: from.id.clone(),
        spec: Some(request(&from.spec)),
        idempotency_key: from.idempotency_key.clone(),
        state: match from.state {
            State::Queued => v1::JobState::Queued,
            State::Running => v1::JobState::Running,
            State::Succeeded => v1::JobState::Succeeded,
            State::Failed => v1::JobState::Failed,
            State::Cancelled => v1::JobState::Cancelled,
        }
        .into(),
        totals: Some(totals(&from.totals)),
        bytes_read: from.bytes_read,
        bytes_total: from.bytes_total,
        created_at_ms: from.created_ms,
        started_at_ms: from.started_ms,
        finished_at_ms: from.finished_ms,
        error: from.failure.as_ref().map(failure),
        notes: from.notes.clone(),
        cancelling: from.cancelling,
        publishing: from.publishing,
        model: from.model.clone(),
    }
}

fn totals(from: &Totals) -> v1::JobTotals {
    v1::JobTotals {
        read: from.read,
        written: from.written,
        quarantined: from.quarantined,
        scored: from.scored,
        empty: from.empty,
        unsupported: from.unsupported,
        refused: from.refused,
        distinct: from.distinct,
    }
}

fn failure(from: &Failure) -> v1::JobError {
    v1::JobError {
        code: status::code(from.kind).into(),
        message: from.message.clone(),
        field: from.field.clone(),
    }
}

/// The request that a job was created with.
pub(super) fn request(from: &Spec) -> v1::JobSpec {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    v1::JobSpec {
        input: from.input.clone(),
        output: from.output.clone(),
        output_format: match from.output_format {
            None => v1::OutputFormat::Unspecified,
            Some(FormatName::Csv) => v1::OutputFormat::Csv,
            Some(FormatName::Jsonl) => v1::OutputFormat::Jsonl,
            Some(FormatName::Parquet) => v1::OutputFormat::Parquet,
        }
        .into(),
        byte_order_mark: from.byte_order_mark,
        keep_formulas: from.keep_formulas,
        input_format: match from.input_format {
            None => v1::InputFormat::Unspecified,
            Some(FileFormat::Csv) => v1::InputFormat::Csv,
            Some(FileFormat::Tsv) => v1::InputFormat::Tsv,
            Some(FileFormat::Jsonl) => v1::InputFormat::Jsonl,
            Some(FileFormat::Parquet) => v1::InputFormat::Parquet,
            Some(FileFormat::Xlsx) => v1::InputFormat::Xlsx,
            Some(FileFormat::Lines) => v1::InputFormat::Lines,
        }
        .into(),
        text_columns: from.text_columns.clone(),
        id_column: text(&from.id_column),
        score_column: text(&from.score_column),
        language_column: text(&from.language_column),
        time_column: text(&from.time_column),
        no_detect: from.no_detect,
        delimiter: from.delimiter.map(String::from).unwrap_or_default(),
        encoding: text(&from.encoding),
        sheet: text(&from.sheet),
        language: text(&from.language),
        scored_at: text(&from.scored_at),
        model: text(&from.model),
        report: from.report.as_ref().map(|report| v1::JobReport {
            uri: report.uri.clone(),
            by_column: text(&report.by_column),
            no_redact: report.no_redact,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was_sent_whatever_its_formats() {
        for (input, output) in (0..7).zip((0..4).cycle()) {
            let sent = v1::JobSpec {
                input: "/in".into(),
                output: "/out".into(),
                input_format: input,
                output_format: output,
                text_columns: vec!["a".into(), "b".into()],
                delimiter: ";".into(),
                language: "en-GB".into(),
                sheet: "Answers".into(),
                no_detect: true,
                model: "canary".into(),
                report: Some(v1::JobReport { uri: "/r".into(), by_column: "1".into(), no_redact: true }),
                ..Default::default()
            };
            assert_eq!(request(&spec(sent.clone()).unwrap()), sent);
        }
    }

    #[test]
    fn numbers_that_are_not_known_are_refused_with_their_field() {
        let spec = |change: fn(&mut v1::JobSpec)| {
            let mut from = v1::JobSpec::default();
            change(&mut from);
            super::spec(from).unwrap_err().field().map(ToOwned::to_owned)
        };
        assert_eq!(spec(|s| s.output_format = 4).as_deref(), Some("spec.output_format"));
        assert_eq!(spec(|s| s.input_format = -1).as_deref(), Some("spec.input_format"));
        assert_eq!(spec(|s| s.delimiter = "||".into()).as_deref(), Some("spec.delimiter"));
        assert_eq!(spec(|s| s.delimiter = "§".into()).as_deref(), Some("spec.delimiter"));
        assert_eq!(spec(|s| s.language = "no tag".into()).as_deref(), Some("spec.language"));
        assert_eq!(state(6).unwrap_err().field(), Some("state"));
        let states: Vec<_> = (0..6).map(|number| state(number).unwrap()).collect();
        assert!(states[0].is_none() && State::ALL.iter().all(|state| states.contains(&Some(*state))));
    }
}
