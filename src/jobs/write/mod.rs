//! Writes scored rows: the columns of the input, and what was found in each text beside them.
//!
//! A format is a pure function from a row to bytes, so that a file can be cut back to any row and gone on from. Parquet
//! can't be gone on from; its rows are kept as CSV until all are there (`parquet`).

pub(super) mod csv;
pub(super) mod jsonl;
pub(super) mod parquet;
pub(super) mod quarantine;
pub mod schema;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::ScoredRow;
use crate::error::Error;
use schema::Schema;

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Separated by commas, RFC 4180 with line feeds.
    Csv {
        /// Whether the file begins with a byte order mark: Excel then reads it as UTF-8.
        byte_order_mark: bool,
        /// Whether cells that a spreadsheet would take for a formula get an apostrophe.
        escape_formulas: bool,
    },
    /// One JSON object per line.
    Jsonl,
    /// Apache Parquet, compressed with Snappy.
    Parquet,
}

/// A form of the output, without its particulars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// Separated by commas.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl FormatName {
    /// What a name's ending stands for; `None` when it tells nothing.
    pub fn by_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format; the particulars are those of CSV.
    pub fn format(self, byte_order_mark: bool, escape_formulas: bool) -> Format {
        match self {
            Self::Csv => Format::Csv { byte_order_mark, escape_formulas },
            Self::Jsonl => Format::Jsonl,
            Self::Parquet => Format::Parquet,
        }
    }
}

/// Rows to bytes, in one of the formats.
pub(super) trait Encoder: Send {
    /// What stands before the first row.
    fn head(&self, out: &mut Vec<u8>);
    /// A row.
    fn row(&self, row: &ScoredRow, out: &mut Vec<u8>);
}

impl Format {
    /// What writes the part.
    pub(super) fn encoder(self, schema: Schema) -> Box<dyn Encoder> {
        match self {
            Self::Csv { byte_order_mark, escape_formulas } => {
                Box::new(csv::Csv { schema, byte_order_mark, escape_formulas })
            }
            Self::Parquet => Box::new(csv::Csv { schema, byte_order_mark: false, escape_formulas: false }),
            Self::Jsonl => Box::new(jsonl::Jsonl { schema }),
        }
    }

    /// Makes the output out of the finished part where they differ; says whether it did.
    pub(super) fn assemble(self, schema: &Schema, part: &Path, output: &Path) -> Result<bool, Error> {
        match self {
            Self::Csv { .. } | Self::Jsonl => Ok(false),
            Self::Parquet => parquet::assemble(schema, part, output).map(|()| true),
        }
    }

    /// What tells it from others in a checkpoint.
    pub(super) fn name(self) -> String {
        match self {
            Self::Csv { byte_order_mark, escape_formulas } => {
                let mark = if byte_order_mark { " with a byte order mark" } else { "" };
                let formulas = if escape_formulas { "" } else { " with formulas" };
                format!("csv{mark}{formulas}")
            }
            Self::Jsonl => "jsonl".into(),
            Self::Parquet => "parquet".into(),
        }
    }
}
