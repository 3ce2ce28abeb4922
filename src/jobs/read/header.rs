//! Which tool wrote a table, by its first rows, and what its columns are called.
//!
//! Qualtrics has a third row of `{"ImportId":…}`, SurveyMonkey a second one with labels and blanks in the first; others
//! are told by their names. Names stay as they are but for blanks around them; questions lose their tags.

use std::collections::HashSet;

use serde_json::Value;

use super::names::{normal, plain};
use super::rows::Record;

/// A tool that exports surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Qualtrics,
    SurveyMonkey,
    Typeform,
    GoogleForms,
    Delighted,
    /// None that is known.
    Unknown,
}

impl Tool {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Qualtrics => "Qualtrics",
            Self::SurveyMonkey => "SurveyMonkey",
            Self::Typeform => "Typeform",
            Self::GoogleForms => "Google Forms",
            Self::Delighted => "Delighted",
            Self::Unknown => "table",
        }
    }
}

/// A column as the header has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Field {
    /// Unique in its table.
    pub(super) name: String,
    /// Where the header has it and it is not the name.
    pub(super) question: Option<String>,
    /// What Qualtrics calls it inside.
    pub(super) import_id: Option<String>,
    /// What SurveyMonkey has below the question.
    pub(super) label: Option<String>,
}

/// A table's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) tool: Tool,
    pub(super) fields: Vec<Field>,
    /// How many records it takes.
    pub(super) rows: usize,
    /// Whether a cell `null` is an empty one.
    pub(super) null: bool,
}

/// What SurveyMonkey has in front of the questions.
const SURVEY_MONKEY: &[&str] = &[
    "respondent id",
    "collector id",
    "collector name",
    "date created",
    "date modified",
    "start date",
    "end date",
    "ip address",
    "email address",
    "first name",
    "last name",
];
/// Labels below a question that say nothing about which of its columns it is.
const PLAIN_LABELS: &[&str] = &["", "response", "open ended response"];
/// The first column of Google Forms, in some languages.
pub(super) const TIMESTAMPS: &[&str] = &[
    "timestamp",
    "zeitstempel",
    "horodateur",
    "marca temporal",
    "informazioni cronologiche",
    "carimbo de data hora",
    "tijdstempel",
    "sygnatura czasowa",
    "zaman damgası",
    "タイムスタンプ",
    "时间戳记",
    "타임스탬프",
];

/// Reads the first records, of which there is at least one. A form that names its columns itself has one row of names;
/// `detect` says whether a tool is looked for.
pub(super) fn read(first: &[&Record], named: bool, detect: bool) -> Header {
    let names = &first[0].cells;
    let found = detect.then(|| match named {
        true => None,
        false => qualtrics(first).or_else(|| survey_monkey(first)),
    });
    let mut header = found.flatten().unwrap_or_else(|| {
        let tool = if detect { by_names(names) } else { Tool::Unknown };
        let fields = names.iter().map(|name| named_so(name, None)).collect();
        Header { tool, fields, rows: 1, null: tool == Tool::Typeform }
    });
    make_unique(&mut header.fields);
    header
}

fn qualtrics(first: &[&Record]) -> Option<Header> {
    let last = (1..first.len()).find(|at| {
        let filled = || first[*at].cells.iter().filter(|cell| !cell.trim().is_empty());
        let ids = filled().filter(|cell| import_id(cell).is_some()).count();
        ids > 0 && ids * 2 > filled().count()
    })?;
    let at = |row: usize, column: usize| first[row].cells.get(column).map_or("", String::as_str);
    let width = first[..=last].iter().map(|record| record.cells.len()).max()?;
    let fields = (0..width).map(|column| Field {
        import_id: import_id(at(last, column)),
        ..named_so(at(0, column), (last == 2).then(|| at(1, column)))
    });
    Some(Header { tool: Tool::Qualtrics, fields: fields.collect(), rows: last + 1, null: false })
}

fn import_id(cell: &str) -> Option<String> {
    let cell = cell.trim();
    if !cell.starts_with('{') {
        return None;
    }
    let value: Value = serde_json::from_str(cell).ok()?;
    value.get("ImportId").and_then(Value::as_str).map(str::to_owned)
}

fn survey_monkey(first: &[&Record]) -> Option<Header> {
    let names: Vec<String> = first[0].cells.iter().map(|name| normal(name)).collect();
    let respondent = names.iter().position(|name| name == "respondent id")?;
    names.iter().position(|name| name == "collector id")?;
    // Every respondent has an id, so a second row without one holds labels, or nothing.
    let labels =
        first.get(1).filter(|second| second.cells.get(respondent).is_none_or(|id| id.trim().is_empty()));
    let label =
        |column: usize| labels.and_then(|labels| labels.cells.get(column)).map_or("", |label| label.trim());
    let width = names.len().max(labels.map_or(0, |labels| labels.cells.len()));
    let mut question = String::new();
    let fields = (0..width).map(|column| {
        let name = first[0].cells.get(column).map_or("", |name| name.trim());
        if SURVEY_MONKEY.contains(&names.get(column).map_or("", String::as_str)) {
            return named_so(name, None);
        }
        if !name.is_empty() {
            name.clone_into(&mut question);
        }
        let label = label(column);
        let bare = PLAIN_LABELS.contains(&normal(label).as_str());
        let name = if bare { question.clone() } else { format!("{question} - {label}") };
        Field { label: (!label.is_empty()).then(|| plain(label)), ..named_so(&name, Some(&question)) }
    });
    let fields = fields.collect();
    let rows = 1 + usize::from(labels.is_some());
    Some(Header { tool: Tool::SurveyMonkey, fields, rows, null: false })
}

fn by_names(names: &[String]) -> Tool {
    let normals: Vec<String> = names.iter().map(|name| normal(name)).collect();
    let has = |name: &str| normals.iter().any(|there| there == name);
    let count = |names: &[&str]| names.iter().filter(|name| has(name)).count();
    let typeform = ["response type", "start date utc", "stage date utc", "submit date utc", "network id"];
    let delighted = ["survey type", "person", "person id", "permalink", "created at"];
    if count(&typeform) >= 2 || (names.first().is_some_and(|name| name.trim() == "#") && count(&typeform) > 0)
    {
        Tool::Typeform
    } else if has("score") && has("comment") && count(&delighted) >= 2 {
        Tool::Delighted
    } else if names.len() > 1 && TIMESTAMPS.contains(&normals[0].as_str()) {
        Tool::GoogleForms
    } else {
        Tool::Unknown
    }
}

fn named_so(name: &str, question: Option<&str>) -> Field {
    let name = name.trim().replace('\0', "\u{fffd}");
    let question = plain(question.unwrap_or(&name));
    Field {
        question: (!question.is_empty() && question != name).then_some(question),
        name,
        ..Field::default()
    }
}

/// Gives columns without a name their number, and later ones of the same name a number behind it.
fn make_unique(fields: &mut [Field]) {
    let mut taken: HashSet<String> =
        fields.iter().map(|field| field.name.clone()).filter(|name| !name.is_empty()).collect();
    let mut seen = HashSet::new();
    for (field, number) in fields.iter_mut().zip(1..) {
        if field.name.is_empty() {
            field.name = unused(&taken, &format!("column {number}"));
        } else if seen.contains(&field.name) {
            field.name = unused(&taken, &field.name);
        }
        taken.insert(field.name.clone());
        seen.insert(field.name.clone());
    }
}

/// The name, or the name with the first number from 2 that makes it a new one.
fn unused(taken: &HashSet<String>, name: &str) -> String {
    let numbered = (2..).map(|number: u32| format!("{name} ({number})"));
    let free = |name: &String| !taken.contains(name);
    std::iter::once(name.to_owned()).chain(numbered).find(free).unwrap_or_default()
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
