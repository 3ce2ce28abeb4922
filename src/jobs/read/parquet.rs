//! Parquet files, row by row. A page per column is held in memory, whatever the number of rows.
//!
//! `null` is an empty cell, dates and times are RFC 3339 in UTC, nested values are written as the crate shows them. What is
//! wrong in the middle of a file ends it, for the columns would no longer be in step.

use std::fs::File;

use jiff::Timestamp;
use jiff::civil::Date;
use parquet::basic::{Compression, ConvertedType, Type as PhysicalType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::ColumnDescriptor;

use super::origin::Origin;
use super::rows::{Fault, Record, Source};
use super::worker::{DAMAGED, Outlet, Unwanted, spawn};
use crate::error::Error;

/// Opens a file. Errors: `InvalidInput` for one that is damaged, or has a column of a type that is not read.
pub(super) fn open(origin: Origin) -> Result<Source, Error> {
    let name = origin.name.clone();
    let (file, copied) = origin.seekable(u64::MAX)?;
    let (rows, mut notes) = spawn(&name, move |out| read(file, out))?;
    if copied {
        notes.push("Parquet is read from its end, so it was copied to a temporary file".into());
    }
    Ok(Source { form: "Parquet".into(), records: Box::new(rows), named: true, notes })
}

fn read(file: File, out: &Outlet) {
    let reader = match SerializedFileReader::new(file) {
        Ok(reader) => reader,
        Err(_) => return out.opened(Err("is no sound Parquet file, or is cut off".into())),
    };
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    if let Some(column) = schema.columns().iter().find(|column| !is_read(column)) {
        let name = super::names::shown(&column.path().string());
        let problem =
            format!("has a column {name} of a type that is not read; leave it out, or save it as text");
        return out.opened(Err(problem));
    }
    let mut packed = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    if let Some(column) = packed.find(|column| !is_unpacked(column.compression())) {
        let codec = column.compression().to_string();
        let codec = codec.split('(').next().unwrap_or_default();
        let problem =
            format!("is packed with {codec}, which is not read; write it with Zstandard, Snappy or gzip");
        return out.opened(Err(problem));
    }
    let names = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    out.opened(Ok(Vec::new()));
    // Only an outlet that nobody reads ends it early.
    let _ = out
        .put(Ok(Record { place: 0, cells: names, blank: false }))
        .and_then(|()| rows(RowIter::from_file_into(Box::new(reader)), out));
}

/// Whether a codec is built in; without this, a page of another one would look damaged.
fn is_unpacked(codec: Compression) -> bool {
    use Compression::{GZIP, SNAPPY, UNCOMPRESSED, ZSTD};
    matches!(codec, UNCOMPRESSED | SNAPPY | GZIP(_) | ZSTD(_))
}

/// Whether the crate turns a column's values into fields; over others it panics.
fn is_read(column: &ColumnDescriptor) -> bool {
    use ConvertedType as As;
    let kind = column.converted_type();
    match column.physical_type() {
        PhysicalType::BOOLEAN | PhysicalType::INT96 | PhysicalType::FLOAT | PhysicalType::DOUBLE => true,
        PhysicalType::INT32 => !matches!(kind, As::UTF8 | As::ENUM | As::JSON | As::BSON | As::INTERVAL),
        PhysicalType::INT64 => !matches!(kind, As::UTF8 | As::ENUM | As::JSON | As::BSON | As::INTERVAL),
        PhysicalType::BYTE_ARRAY => {
            matches!(kind, As::UTF8 | As::ENUM | As::JSON | As::BSON | As::NONE | As::DECIMAL)
        }
        PhysicalType::FIXED_LEN_BYTE_ARRAY => matches!(kind, As::DECIMAL | As::NONE),
    }
}

fn rows(found: RowIter<'static>, out: &Outlet) -> Result<(), Unwanted> {
    for (row, place) in found.zip(1..) {
        let Ok(row) = row else { return out.put(Err(Fault::end(place, DAMAGED))) };
        let cells = row.into_columns().into_iter().zip(1..).map(|((_, field), number)| {
            let reason = format!("cell {number} holds bytes that are no text");
            text(field).ok_or(Fault { place, reason, ..Fault::default() })
        });
        out.put(cells.collect::<Result<_, _>>().map(|cells| Record { place, cells, blank: false }))?;
    }
    Ok(())
}

/// `None` for bytes that are no text.
fn text(field: Field) -> Option<String> {
    Some(match field {
        Field::Null => String::new(),
        Field::Str(text) => text,
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).ok()?,
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Date(days) => date(days),
        Field::TimestampMillis(ms) => {
            Timestamp::from_millisecond(ms).map_or(ms.to_string(), |at| at.to_string())
        }
        Field::TimestampMicros(us) => {
            Timestamp::from_microsecond(us).map_or(us.to_string(), |at| at.to_string())
        }
        other => other.to_string(),
    })
}

fn date(days: i32) -> String {
    let epoch = Date::constant(1970, 1, 1);
    let date = jiff::Span::new().try_days(days).and_then(|days| epoch.checked_add(days));
    date.map_or_else(|_| days.to_string(), |date| date.to_string())
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
