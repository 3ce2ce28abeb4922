//! What a caller asks for: the options of `attune score` that make sense at a service, and their bounds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::jobs::plan;
use crate::jobs::read::{FileFormat, ReadOptions};
use crate::jobs::write::{Format, FormatName};

/// Longest URI, in bytes: keys of objects have at most 1,024.
const URI_BYTES: usize = 2048;
/// Longest name of a column, a sheet or an encoding, in bytes: questions are used as names.
const NAME_BYTES: usize = 1024;
/// Columns with texts that may be named.
const TEXT_COLUMNS: usize = 64;

/// What is to be scored, how, and where to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// URI or absolute path of the export.
    pub input: String,
    /// URI or absolute path of the scored rows.
    pub output: String,
    /// Form of the output; `None` goes by its extension.
    pub output_format: Option<FormatName>,
    /// Whether CSV begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether cells of CSV stay that a spreadsheet would take for formulas.
    pub keep_formulas: bool,
    /// Form of the input; `None` recognises it.
    pub input_format: Option<FileFormat>,
    /// Columns with texts, instead of those that are recognised.
    pub text_columns: Vec<String>,
    /// Column with the row's id.
    pub id_column: Option<String>,
    /// Column with a number that the respondent gave.
    pub score_column: Option<String>,
    /// Column with the language of the answers.
    pub language_column: Option<String>,
    /// Column with the time of the answer.
    pub time_column: Option<String>,
    /// Whether neither the survey tool nor columns are recognised.
    pub no_detect: bool,
    /// What separates the cells of a CSV input.
    pub delimiter: Option<char>,
    /// Encoding of the input.
    pub encoding: Option<String>,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Language of all texts (BCP 47).
    pub language: Option<String>,
    /// What is written as the time of scoring (RFC 3339); `None` for the job's start.
    pub scored_at: Option<String>,
    /// The report; `None` for none.
    pub report: Option<ReportSpec>,
    /// Which model is to read the texts; `None` for the default when the job is first run.
    pub model: Option<String>,
}

/// The report of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportSpec {
    /// URI or absolute path of the page.
    pub uri: String,
    /// Column whose groups are compared.
    pub by_column: Option<String>,
    /// Whether quotations stay as they were written.
    pub no_redact: bool,
}

impl Spec {
    /// Errors: `InvalidInput` with the field, for what breaks a rule whatever the files hold.
    pub fn check(&self) -> Result<(), Error> {
        required("spec.input", &self.input)?;
        required("spec.output", &self.output)?;
        for (field, name) in self.names() {
            within(field, name, NAME_BYTES)?;
        }
        if self.text_columns.len() > TEXT_COLUMNS {
            let problem =
                format!("names {} columns, at most {TEXT_COLUMNS} are taken", self.text_columns.len());
            return Err(Error::invalid("spec.text_columns", problem));
        }
        if let Some(report) = &self.report {
            required("spec.report.uri", &report.uri)?;
        }
        if self.byte_order_mark && self.format_name()? != FormatName::Csv {
            return Err(Error::invalid("spec.byte_order_mark", "only CSV has a byte order mark"));
        }
        self.format()?;
        let time = plan::started(self.scored_at.as_deref());
        time.map(drop).map_err(|e| Error::invalid("spec.scored_at", e.public().to_owned()))
    }

    fn names(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let options = [
            ("spec.id_column", &self.id_column),
            ("spec.score_column", &self.score_column),
            ("spec.language_column", &self.language_column),
            ("spec.time_column", &self.time_column),
            ("spec.encoding", &self.encoding),
            ("spec.sheet", &self.sheet),
            ("spec.scored_at", &self.scored_at),
            ("spec.model", &self.model),
        ];
        let options = options.into_iter().filter_map(|(field, name)| Some((field, name.as_ref()?)));
        let by = self
            .report
            .iter()
            .filter_map(|report| Some(("spec.report.by_column", report.by_column.as_ref()?)));
        options.chain(by).chain(self.text_columns.iter().map(|name| ("spec.text_columns", name)))
    }

    fn format_name(&self) -> Result<FormatName, Error> {
        let named = self.output_format.or_else(|| FormatName::by_extension(self.output.as_ref()));
        named.ok_or_else(|| {
            Error::invalid("spec.output_format", "the output's extension tells no form; name one")
        })
    }

    /// Form of the output. Errors: `InvalidInput` when the extension tells none.
    pub(super) fn format(&self) -> Result<Format, Error> {
        Ok(self.format_name()?.format(self.byte_order_mark, !self.keep_formulas))
    }

    /// How the input is read.
    pub(super) fn read(&self) -> ReadOptions {
        ReadOptions {
            format: self.input_format,
            text_columns: self.text_columns.clone(),
            id_column: self.id_column.clone(),
            score_column: self.score_column.clone(),
            language_column: self.language_column.clone(),
            time_column: self.time_column.clone(),
            detect: !self.no_detect,
            delimiter: self.delimiter,
            encoding: self.encoding.clone(),
            sheet: self.sheet.clone(),
        }
    }

    /// The first field in which another one differs, such as `spec.report.uri`.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let value = |spec| serde_json::to_value(spec).unwrap_or_default();
        differs("spec", &value(self), &value(other))
    }
}

fn differs(place: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one.iter().find_map(|(name, value)| {
            differs(&format!("{place}.{name}"), value, other.get(name).unwrap_or(&Value::Null))
        }),
        _ => (one != other).then(|| place.to_owned()),
    }
}

fn required(field: &str, uri: &str) -> Result<(), Error> {
    if uri.is_empty() {
        return Err(Error::invalid(field, "is missing; name a file or an object"));
    }
    within(field, uri, URI_BYTES)
}

fn within(field: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.len() > most {
        return Err(Error::invalid(field, format!("has {} bytes, at most {most} are taken", text.len())));
    }
    if text.chars().any(|c| c == '\0') {
        return Err(Error::invalid(field, "holds a NUL character"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
