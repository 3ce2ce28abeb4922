//! Where blocks end, and what they take for new.

use proptest::prelude::*;

use super::super::samples;
use super::*;

const SMALL: BlockSize = BlockSize { texts: 4, text_bytes: 40, rows: 9, cell_bytes: 200 };

fn reading(rows: Vec<Result<Row, BadRow>>) -> Reading {
    Reading { rows: Box::new(rows.into_iter()), text: vec![0, 1], language: None, language_column: Some(2) }
}

/// Rows of small numbers, of which every 7 is a row that could not be read.
fn rows(seeds: &[(u8, u8)]) -> Vec<Result<Row, BadRow>> {
    let row = |(n, (a, b)): (usize, &(u8, u8))| {
        let number = n as u64 + 1;
        if *a == 7 {
            return Err(BadRow { number, place: number, reason: "is torn".into(), ends: false });
        }
        Ok(samples::row(number, &[&"x".repeat(usize::from(*a)), &format!("text {b}"), "en"]))
    };
    seeds.iter().enumerate().map(row).collect()
}

/// Keys of the new texts, and number of rows, of each block.
fn all(blocks: &mut Blocks) -> Vec<(Vec<Key>, usize, String)> {
    std::iter::from_fn(|| blocks.next_block().unwrap())
        .map(|b| (b.fresh.iter().map(|f| f.key).collect(), b.entries.len(), b.digest))
        .collect()
}

proptest! {
    #[test]
    fn blocks_hold_every_row_once_and_go_on_from_any_of_them(
        seeds in prop::collection::vec((0u8..9, 0u8..30), 0..80), cut in 0usize..20,
    ) {
        let whole = all(&mut Blocks::new(reading(rows(&seeds)), Known::default(), SMALL));
        prop_assert_eq!(whole.iter().map(|(_, rows, _)| rows).sum::<usize>(), seeds.len());
        let mut keys: Vec<Key> = whole.iter().flat_map(|(keys, ..)| keys.clone()).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), count, "a text was new twice");
        // A second run that knows what the first had read up to a block.
        let (done, rest) = whole.split_at(cut.min(whole.len()));
        let mut known = Known::default();
        done.iter().flat_map(|(keys, ..)| keys).for_each(|key| drop(known.slot(*key)));
        let mut second = Blocks::new(reading(rows(&seeds)), known, SMALL);
        let skip = done.iter().map(|(_, rows, _)| *rows as u64).sum();
        second.skip(skip, done.last().map_or("", |(.., digest)| digest)).unwrap();
        prop_assert_eq!(&all(&mut second)[..], rest);
    }
}

#[test]
fn other_rows_are_noticed_before_anything_is_scored() {
    let seeds: Vec<(u8, u8)> = (0..9).map(|n| (1, n)).collect();
    let mut first = Blocks::new(reading(rows(&seeds)), Known::default(), SMALL);
    let block = first.next_block().unwrap().unwrap();
    let count = block.entries.len() as u64;
    let mut changed = seeds.clone();
    changed[0].1 = 99;
    for other in [&changed[..], &seeds[..1]] {
        let mut second = Blocks::new(reading(rows(other)), Known::default(), SMALL);
        let error = second.skip(count, &block.digest).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.public().contains("--restart"), "{error}");
    }
}

#[test]
fn a_reader_that_skips_a_row_is_caught() {
    let mut torn = rows(&[(1, 1), (1, 2), (1, 3)]);
    drop(torn.remove(1));
    let mut blocks = Blocks::new(reading(torn), Known::default(), SMALL);
    assert_eq!(blocks.next_block().err().unwrap().kind(), ErrorKind::Internal);
}

#[test]
fn a_language_is_believed_when_it_is_a_tag() {
    for (cell, expected) in [
        ("en", Some("en")),
        ("EN-GB", Some("EN-GB")),
        ("pt_BR", Some("pt-BR")),
        (" de ", Some("de")),
        ("zh-Hant-TW", Some("zh-Hant-TW")),
        ("English", None),
        ("", None),
        ("e1", None),
        ("en-", None),
    ] {
        let blocks = Blocks::new(reading(Vec::new()), Known::default(), SMALL);
        let found = blocks.said(&samples::row(1, &["", "", cell]));
        assert_eq!(found.as_deref(), expected, "{cell:?}");
    }
}
