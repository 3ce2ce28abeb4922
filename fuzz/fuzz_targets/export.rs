//! An export from anywhere in any form: refused with a message, or rows of one width, numbered from 1, the same when it
//! is opened again. The first byte chooses the form, or leaves it to be found.
#![no_main]

use attune::jobs::read::{FileFormat, ReadOptions, open_stream};
use attune::jobs::{BadRow, Row};
use libfuzzer_sys::fuzz_target;

type Items = Vec<Result<Row, BadRow>>;

fn read(file: &[u8], options: &ReadOptions) -> Option<(usize, Items)> {
    let table = open_stream("export", std::io::Cursor::new(file.to_vec()), options).ok()?;
    Some((table.columns.len(), table.rows.collect()))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else { return };
    let format = FileFormat::ALL.get(usize::from(*choice >> 1) % (FileFormat::ALL.len() + 1)).copied();
    let options = ReadOptions { format, detect: choice & 1 == 0, ..ReadOptions::default() };
    let found = read(file, &options);
    assert_eq!(found, read(file, &options));
    let Some((width, items)) = found else { return };
    for (item, number) in items.iter().zip(1..) {
        match item {
            Ok(row) => assert!(row.number == number && row.cells.len() == width),
            Err(bad) => assert!(bad.number == number && !bad.reason.is_empty()),
        }
    }
});
