//! Parquet, put together at the end out of rows that were kept as CSV.
//!
//! A Parquet file ends with its index, so that a killed run could not go on with one. The rows are therefore appended to
//! a plain part first; this makes the file out of it in one go, in row groups of a fixed number of rows, so that the
//! same part gives the same bytes.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::csv::{ReaderBuilder, StringRecord};
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::super::part;
use super::schema::{Kind, Schema};
use crate::error::{Error, ErrorKind};

/// Rows of a group: they are held in memory together.
const GROUP_ROWS: usize = 16_384;
/// A group ends early when its rows have this many bytes.
const GROUP_BYTES: usize = 32 << 20;
/// Named in the file as what has written it; without a version, so that it does not change the bytes.
const WRITER: &str = "attune";

/// Makes `output` out of the CSV in `part`. Errors: those of the file system, named by their path.
pub(super) fn assemble(schema: &Schema, part: &Path, output: &Path) -> Result<(), Error> {
    let damaged = |e: ::csv::Error| {
        let message = format!("{}: can't be read back; begin again with --restart", part.display());
        Error::new(ErrorKind::Precondition, message).with_source(e)
    };
    let fail = |e: ParquetError| failure(output, e);
    let rows = File::open(part).map_err(|e| part::failure(part, &e))?;
    let mut rows = ReaderBuilder::new().from_reader(rows);
    let file = File::create(output).map_err(|e| part::failure(output, &e))?;
    let synced = file.try_clone().map_err(|e| part::failure(output, &e))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(WRITER.into())
        .build();
    let tree = tree(schema).map_err(fail)?;
    let mut writer = SerializedFileWriter::new(file, tree, Arc::new(properties)).map_err(fail)?;
    let kinds: Vec<Kind> = schema.kinds().collect();
    let (mut group, mut bytes) = (Vec::new(), 0);
    for row in rows.records() {
        let row: StringRecord = row.map_err(damaged)?;
        bytes += row.as_slice().len() + row.len() * size_of::<usize>();
        group.push(row);
        if group.len() == GROUP_ROWS || bytes >= GROUP_BYTES {
            write_group(&mut writer, &kinds, &std::mem::take(&mut group)).map_err(fail)?;
            bytes = 0;
        }
    }
    if !group.is_empty() {
        write_group(&mut writer, &kinds, &group).map_err(fail)?;
    }
    writer.close().map_err(fail)?;
    synced.sync_all().map_err(|e| part::failure(output, &e))
}

fn failure(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(io) => part::failure(path, &io),
            Err(other) => Error::internal(other),
        },
        other => Error::internal(other),
    }
}

/// The schema in Parquet's terms.
fn tree(schema: &Schema) -> Result<TypePtr, ParquetError> {
    let column = |(name, kind): (&str, Kind)| {
        let (physical, repetition) = match kind {
            Kind::Cell => (Physical::BYTE_ARRAY, Repetition::REQUIRED),
            Kind::Text => (Physical::BYTE_ARRAY, Repetition::OPTIONAL),
            Kind::Number => (Physical::DOUBLE, Repetition::OPTIONAL),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        let builder = match kind {
            Kind::Cell | Kind::Text => {
                builder.with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8)
            }
            Kind::Number => builder,
        };
        builder.build().map(Arc::new)
    };
    let fields = schema.names().zip(schema.kinds()).map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder("rows").with_fields(fields).build().map(Arc::new)
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    kinds: &[Kind],
    rows: &[StringRecord],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (at, kind) in kinds.iter().enumerate() {
        let cells = rows.iter().map(|row| row.get(at).unwrap_or_default());
        write_column(&mut group, *kind, cells)?;
    }
    group.close().map(|_| ())
}

fn write_column<'a>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    kind: Kind,
    cells: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let bytes = |cell: &str| ByteArray::from(cell.as_bytes().to_vec());
    // What is not there is not stored; its level says so.
    let levels: Vec<i16> = cells.clone().map(|cell| i16::from(!cell.is_empty())).collect();
    let there = cells.clone().filter(|cell| !cell.is_empty());
    match kind {
        Kind::Cell => {
            let values: Vec<ByteArray> = cells.map(bytes).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
        }
        Kind::Text => {
            let values: Vec<ByteArray> = there.map(bytes).collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
        }
        Kind::Number => {
            let values =
                there.map(|cell| cell.parse().map_err(|_| ParquetError::General(cell.len().to_string())));
            let values: Vec<f64> = values.collect::<Result<_, _>>()?;
            column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
        }
    }
    column.close()
}
