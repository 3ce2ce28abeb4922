//! The rows that could not be read: number, place and reason, and nothing of their text.

use super::super::table::BadRow;
use super::csv::write_cell;

/// The first line of the file.
pub(in super::super) const HEAD: &[u8] = b"row,place,reason\n";

/// Appends a row.
pub(in super::super) fn row(row: &BadRow, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{},{},", row.number, row.place).as_bytes());
    write_cell("", &row.reason, out);
    out.push(b'\n');
}
