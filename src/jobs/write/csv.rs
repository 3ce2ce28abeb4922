//! CSV that spreadsheets open without harm: quoted where needed, and no cell is taken for a formula.
//!
//! A cell from outside that begins like a formula gets an apostrophe in front, as OWASP advises; numbers stay as they
//! are.

use std::borrow::Cow;

use super::super::table::ScoredRow;
use super::Encoder;
use super::schema::{Schema, Value};

/// UTF-8's byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How a formula can begin; some programs drop white space, or read full-width signs as the usual ones.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
/// Between the labels of a cell.
const BETWEEN: &str = ";";

/// Writes CSV.
pub(in super::super) struct Csv {
    pub(super) schema: Schema,
    pub(super) byte_order_mark: bool,
    pub(super) escape_formulas: bool,
}

impl Encoder for Csv {
    fn head(&self, out: &mut Vec<u8>) {
        if self.byte_order_mark {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        self.line(self.schema.names().map(Cow::from), out);
    }

    fn row(&self, row: &ScoredRow, out: &mut Vec<u8>) {
        self.line(self.schema.values(row).map(cell), out);
    }
}

impl Csv {
    fn line<'a>(&self, cells: impl Iterator<Item = Cow<'a, str>>, out: &mut Vec<u8>) {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let apostrophe = self.escape_formulas && is_formula(&cell);
            write_cell(if apostrophe { "'" } else { "" }, &cell, out);
        }
        out.push(b'\n');
    }
}

fn cell(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string().into(),
        Value::Labels(labels) => {
            let names: Vec<&str> = labels.iter().map(|label| label.label.as_str()).collect();
            names.join(BETWEEN).into()
        }
        Value::Missing => "".into(),
    }
}

/// Writes a cell with something in front, in quotation marks where it needs them.
pub(super) fn write_cell(front: &str, cell: &str, out: &mut Vec<u8>) {
    let plain = !cell.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'));
    // Blanks at the ends are dropped by some programs when nothing holds them.
    if plain && !cell.starts_with(' ') && !cell.ends_with(' ') {
        out.extend_from_slice(front.as_bytes());
        out.extend_from_slice(cell.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(front.as_bytes());
    for byte in cell.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Writes a cell that no spreadsheet takes for a formula.
pub(in super::super) fn write_safe(cell: &str, out: &mut Vec<u8>) {
    write_cell(if is_formula(cell) { "'" } else { "" }, cell, out);
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(FORMULA) && !is_number(cell)
}

/// A sign and digits, with separators of thousands, decimals, an exponent or a percent sign.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let digits = digits.strip_suffix('%').unwrap_or(digits);
    digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'e' | b'E' | b'+' | b'-'))
        && digits.replace(',', "").parse::<f64>().is_ok()
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
