//! From the flags that name a file of texts to what `evaluation` reads.

use std::io::Read;

use super::arguments::{FormatName, LabelledOptions, TaskName, TextOptions};
use crate::error::{Error, ErrorKind};
use crate::evaluation::{InputFormat, LabelledFile, Labels, Mapping, Separator, Source, Task};

/// Largest mapping that is read: real ones have a few kilobytes.
const MAPPING_BYTES: u64 = 1 << 20;

/// The texts alone.
pub(super) fn texts(options: &TextOptions) -> Source {
    Source {
        data: options.data.clone(),
        format: options.input_format.map(|format| match format {
            FormatName::Csv => InputFormat::Csv,
            FormatName::Tsv => InputFormat::Tsv,
            FormatName::Jsonl => InputFormat::Jsonl,
            FormatName::Lines => InputFormat::Lines,
        }),
        header: !options.no_header,
        text_column: options.text_column.clone(),
        labels: Labels::Unread,
        separator: Separator::Usual,
    }
}

/// The texts with their labels.
pub(super) fn labelled(options: &LabelledOptions) -> Result<LabelledFile, Error> {
    let task = match options.task {
        TaskName::Sentiment => Task::Sentiment,
        TaskName::Emotion => Task::Emotion,
        TaskName::Cues => Task::Cues,
    };
    let labels = match &options.labels {
        Some(file) => Labels::File(file.clone()),
        None => Labels::Column { given: options.label_column.clone(), usual: task.column_names() },
    };
    let separator = match &options.separator {
        Some(text) => Separator::Given(text.clone()),
        // A text has one sentiment; a comma in the cell belongs to the label's name.
        None if task == Task::Sentiment => Separator::Never,
        None => Separator::Usual,
    };
    let mapping = options.mapping.as_deref().map(mapping).transpose()?;
    let source = Source { labels, separator, ..texts(&options.texts) };
    Ok(LabelledFile { task, source, mapping, language: options.texts.language.clone() })
}

fn mapping(path: &std::path::Path) -> Result<Mapping, Error> {
    Mapping::parse(&mapping_text(path)?, &path.display().to_string())
}

/// The text of a mapping, of labels of a file or of an export.
pub(super) fn mapping_text(path: &std::path::Path) -> Result<String, Error> {
    let name = path.display().to_string();
    let fail = |e: std::io::Error| Error::new(ErrorKind::NotFound, format!("mapping {name}: {e}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(MAPPING_BYTES + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > MAPPING_BYTES {
        return Err(Error::invalid("mapping", format!("{name} is larger than {MAPPING_BYTES} bytes")));
    }
    Ok(text)
}
