//! What the parts of a zip file say they unpack to, so that a small file can't fill the memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Most bytes of all parts beside the sheets: shared texts and styles, which are held in memory.
const HELD_BYTES: u64 = 512 << 20;
/// Most bytes of a sheet, which is read piece by piece: two kilobytes for each of its rows.
const SHEET_BYTES: u64 = 2 << 30;
/// Longest end of a zip file: its record with the longest comment.
const END_BYTES: u64 = 22 + 65_535;
/// Largest directory: a workbook has some dozen parts of a hundred bytes each.
const DIRECTORY_BYTES: u64 = 4 << 20;

/// Refuses a file whose parts are too large, or that is no zip file; says what is wrong.
pub(super) fn check(file: &File) -> Result<(), String> {
    let damaged = || "is no sound XLSX file; open it in a spreadsheet program and save it again".to_owned();
    let directory = directory(file).ok().flatten().ok_or_else(damaged)?;
    let (mut rest, mut held) = (directory.as_slice(), 0_u64);
    while let Some((name, bytes, next)) = entry(rest) {
        let sheet = name.starts_with(b"xl/worksheets/");
        held = held.saturating_add(if sheet { 0 } else { u64::from(bytes) });
        let most = if sheet { SHEET_BYTES } else { HELD_BYTES };
        if u64::from(bytes).max(held * u64::from(!sheet)) > most {
            return Err(format!(
                "unpacks to more than {most} bytes; save the sheet as CSV, which has no such limit"
            ));
        }
        rest = next;
    }
    Ok(())
}

/// The bytes of the central directory.
fn directory(mut file: &File) -> std::io::Result<Option<Vec<u8>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(END_BYTES)))?;
    file.take(END_BYTES).read_to_end(&mut end)?;
    let found = end.windows(4).rposition(|window| window == b"PK\x05\x06").and_then(|at| {
        let bytes = number(&end, at + 12)?;
        Some((u64::from(bytes), u64::from(number(&end, at + 16)?)))
    });
    let Some((bytes, start)) = found.filter(|(bytes, _)| *bytes <= DIRECTORY_BYTES) else { return Ok(None) };
    let mut directory = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(bytes).read_to_end(&mut directory)?;
    file.rewind()?;
    Ok(Some(directory))
}

/// The name and unpacked bytes of the first part of a directory, and the rest of the directory.
fn entry(directory: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    if !directory.starts_with(b"PK\x01\x02") {
        return None;
    }
    let short =
        |at: usize| Some(usize::from(u16::from_le_bytes(directory.get(at..at + 2)?.try_into().ok()?)));
    let (name, extra, comment) = (short(28)?, short(30)?, short(32)?);
    let rest = directory.get(46 + name + extra + comment..)?;
    Some((directory.get(46..46 + name)?, number(directory, 24)?, rest))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
