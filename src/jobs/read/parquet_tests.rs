//! Parquet's values as text, and what is damaged.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::super::tests::bytes;
use super::super::{FileFormat, ReadOptions};
use crate::jobs::ScoreKind;

const SCHEMA: &str = "message survey {
    required binary id (utf8);
    optional binary comment (utf8);
    required int32 nps;
    required int64 created_at (timestamp_millis);
    required int32 day (date);
    required binary raw;
}";

fn written(schema: &str, compression: Compression, groups: usize) -> Vec<u8> {
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    for group in 0..groups {
        let mut columns = writer.next_row_group().unwrap();
        let mut number = 0;
        while let Some(mut column) = columns.next_column().unwrap() {
            let strings =
                |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
            let id = [format!("00{group}1"), format!("00{group}2")];
            match number {
                0 => column.typed::<ByteArrayType>().write_batch(&strings(&[&id[0], &id[1]]), None, None),
                1 => {
                    let texts = strings(&["The café was closed again"]);
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(&[1, 0]), None)
                }
                2 => column.typed::<Int32Type>().write_batch(&[3, 10], None, None),
                3 => column.typed::<Int64Type>().write_batch(&[1_772_355_600_000, i64::MAX], None, None),
                4 => column.typed::<Int32Type>().write_batch(&[20_513, i32::MAX], None, None),
                _ => {
                    let bytes = vec![ByteArray::from("ok"), ByteArray::from(vec![0xff_u8])];
                    column.typed::<ByteArrayType>().write_batch(&bytes, None, None)
                }
            }
            .unwrap();
            column.close().unwrap();
            number += 1;
        }
        columns.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn values_are_text_and_columns_are_recognised() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())]
    {
        let content = written(SCHEMA, compression, 2);
        let (table, rows) = bytes("x", content, &ReadOptions::default()).unwrap();
        assert_eq!((table.form.as_str(), &table.layout.text), ("Parquet", &vec![1]));
        assert_eq!((table.layout.id, table.layout.score), (Some(0), Some((2, ScoreKind::Nps))));
        let first = rows[0].as_ref().unwrap();
        assert_eq!(
            first.cells,
            ["0001", "The café was closed again", "3", "2026-03-01T09:00:00Z", "2026-03-01", "ok"]
        );
        let bad = rows[1].as_ref().unwrap_err();
        assert_eq!(
            (bad.number, bad.reason.as_str(), bad.ends),
            (2, "cell 6 holds bytes that are no text", false)
        );
        assert_eq!((rows.len(), rows[2].as_ref().unwrap().number), (4, 3));
    }
}

#[test]
fn a_damaged_file_ends_with_an_error_and_a_type_that_is_not_read_is_named() {
    let sound = written(SCHEMA, Compression::UNCOMPRESSED, 1);
    for at in 4..sound.len() {
        let mut content = sound.clone();
        content[at] ^= 0x55;
        let options = ReadOptions { format: Some(FileFormat::Parquet), ..ReadOptions::default() };
        if let Ok((_, rows)) = bytes("x", content, &options) {
            assert!(rows.len() <= 3, "{at}");
        }
    }
    let strange = "message m { required fixed_len_byte_array(12) span (interval); }";
    let content = written(strange, Compression::UNCOMPRESSED, 0);
    let error = bytes("x", content, &ReadOptions::default()).err().unwrap();
    assert!(error.public().contains("a column \"span\" of a type that is not read"), "{error}");
}

#[test]
fn a_codec_that_is_not_read_is_named_instead_of_looking_like_damage() {
    for (codec, is_read) in [
        (Compression::GZIP(Default::default()), true),
        (Compression::BROTLI(Default::default()), false),
        (Compression::LZ4_RAW, false),
    ] {
        assert_eq!(super::is_unpacked(codec), is_read, "{codec}");
    }
}
