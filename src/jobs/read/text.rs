//! Tables with a separator between their cells, and plain lines.

use std::io::{Cursor, Read};

use super::encoding::{Text, cell};
use super::origin::{Bytes, Origin, peek};
use super::rows::{Fault, Record, Records, Source};
use super::split::{Cells, Dialect, Splitter};
use super::{FileFormat, ReadOptions, dialect};
use crate::error::Error;

/// The name of the only column of plain lines.
const TEXT: &str = "text";

/// Opens a table. Errors: `InvalidInput` for a separator or an encoding that can't be one.
pub(super) fn table(origin: Origin, format: FileFormat, options: &ReadOptions) -> Result<Source, Error> {
    let given = options.delimiter.map(given).transpose()?;
    let (form, notes, text) = opened(&origin, options)?;
    let head = text.decoded(&origin.head, origin.is_whole());
    let declared = dialect::declared(&head);
    let found = || match format {
        FileFormat::Tsv if head.contains('\t') => Some(b'\t'),
        _ => dialect::find(&head),
    };
    let separator = given.or(declared.map(|(delimiter, _)| delimiter)).or_else(found);
    let mut bytes = text.bytes(origin);
    if let Some((_, length)) = declared {
        let (head, rest) = behind(bytes, length)?;
        bytes = Box::new(Cursor::new(head).chain(rest));
    }
    let splitter = Splitter::new(bytes, Dialect { delimiter: Some(separator.unwrap_or(b',')) });
    let lines = u64::from(declared.is_some());
    let between = separator.map_or("one column".into(), |byte| format!("separated by {}", called(byte)));
    let records = records(splitter, text, lines);
    Ok(Source { form: format!("{}, {between}, {form}", named(format)), records, named: false, notes })
}

/// Opens plain lines, of which each is a row. Errors: `InvalidInput` for an encoding that is none.
pub(super) fn lines(origin: Origin, options: &ReadOptions) -> Result<Source, Error> {
    let (form, notes, text) = opened(&origin, options)?;
    let header = Record { place: 0, cells: vec![TEXT.into()], blank: false };
    let records = std::iter::once(Ok(header)).chain(split_lines(origin, text));
    Ok(Source { form: format!("lines, {form}"), records: Box::new(records), named: true, notes })
}

/// Lines as records of one cell.
pub(super) fn split_lines(origin: Origin, text: Text) -> Records {
    records(Splitter::new(text.bytes(origin), Dialect { delimiter: None }), text, 0)
}

/// How a text is read, for people, what they should know about that, and its encoding.
pub(super) fn opened(origin: &Origin, options: &ReadOptions) -> Result<(String, Vec<String>, Text), Error> {
    let text = Text::find(origin, options.encoding.as_deref())?;
    let packed = origin.compression.map(|name| format!(", {name}")).unwrap_or_default();
    let sure = options.encoding.is_some() || text.is_sure();
    let note = || format!("its encoding was guessed as {}; --encoding names another", text.name());
    let notes = if sure { Vec::new() } else { vec![note()] };
    Ok((text.form() + &packed, notes, text))
}

fn records(splitter: Splitter, text: Text, lines: u64) -> Records {
    Box::new(splitter.map(move |found| {
        match found {
            Ok(cells) => decoded(cells, text)
                .map_err(|fault| moved(fault, lines))
                .map(|record| Record { place: record.place + lines, ..record }),
            Err(fault) => Err(moved(fault, lines)),
        }
    }))
}

fn moved(fault: Fault, lines: u64) -> Fault {
    Fault { place: fault.place + lines, ..fault }
}

fn decoded(cells: Cells, text: Text) -> Result<Record, Fault> {
    let Cells { line: place, cells, blank } = cells;
    let cells = cells.into_iter().zip(1..).map(|(bytes, number)| {
        cell(bytes, text.of_cells()).ok_or_else(|| {
            let reason = format!("cell {number} is not {}; --encoding names another encoding", text.name());
            Fault { place, reason, ..Fault::default() }
        })
    });
    Ok(Record { place, cells: cells.collect::<Result<_, _>>()?, blank })
}

/// The head without its first bytes, and what follows.
fn behind(bytes: Bytes, length: usize) -> Result<(Vec<u8>, Bytes), Error> {
    let (mut head, rest) = peek(bytes).map_err(Error::internal)?;
    head.drain(..length.min(head.len()));
    Ok((head, rest))
}

fn given(delimiter: char) -> Result<u8, Error> {
    let byte = u8::try_from(delimiter).ok().filter(u8::is_ascii);
    byte.filter(|byte| !matches!(byte, b'"' | b'\r' | b'\n')).ok_or_else(|| {
        Error::invalid("delimiter", "a separator is one ASCII character, no quotation mark and no line's end")
    })
}

fn named(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Tsv => "TSV",
        _ => "CSV",
    }
}

fn called(delimiter: u8) -> String {
    match delimiter {
        b',' => "commas".into(),
        b';' => "semicolons".into(),
        b'\t' => "tabs".into(),
        b'|' => "vertical bars".into(),
        other => format!("{:?}", char::from(other)),
    }
}
