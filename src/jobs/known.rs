//! Texts whose outcome is known or on its way: identical texts are scored once.
//!
//! Bounded, and what is forgotten follows from the rows alone: the text that came first goes first. A run that is
//! resumed reads back what its forerunner knew, and so decides the same; a cache that goes by use would not.

use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Read};
use std::sync::{Arc, OnceLock};

use super::record;

/// Texts that are known at a time: some 350 bytes each, or 600 with evidence; 45 or 80 MB together.
const MOST: usize = 131_072;
/// Longest record: an outcome with all labels of many heads takes some kilobytes.
const RECORD_BYTES: usize = 1 << 20;

/// 128 bits of BLAKE3 over language and text: a collision is out of reach even for who looks for one.
pub(super) type Key = [u8; 16];

/// Where a text's outcome is put when it is there, in the form of [`record::encode`].
pub(super) type Slot = Arc<OnceLock<Box<[u8]>>>;

/// The key of a text in a given or unknown language.
pub(super) fn key(text: &str, language: Option<&str>) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(language.unwrap_or_default().as_bytes()).update(&[0]).update(text.as_bytes());
    let mut key = [0; 16];
    hasher.finalize_xof().fill(&mut key);
    key
}

/// The known texts.
pub(super) struct Known {
    slots: HashMap<Key, Slot>,
    order: VecDeque<Key>,
    most: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self::with_room_for(MOST)
    }
}

impl Known {
    fn with_room_for(most: usize) -> Self {
        Self { slots: HashMap::new(), order: VecDeque::new(), most }
    }

    /// The text's slot, and whether it is new, so that somebody has to fill it.
    pub(super) fn slot(&mut self, key: Key) -> (Slot, bool) {
        if let Some(slot) = self.slots.get(&key) {
            return (Arc::clone(slot), false);
        }
        let slot = Slot::default();
        self.insert(key, Arc::clone(&slot));
        (slot, true)
    }

    fn insert(&mut self, key: Key, slot: Slot) {
        self.slots.insert(key, slot);
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(first) = self.order.pop_front()
        {
            self.slots.remove(&first);
        }
    }

    /// What a run knew that has written these records; `None` when they are damaged.
    pub(super) fn read(records: impl Read) -> Option<Self> {
        let (mut known, mut records) = (Self::default(), BufReader::new(records));
        while let Some((key, bytes)) = read_record(&mut records)? {
            known.insert(key, Arc::new(OnceLock::from(bytes)));
        }
        Some(known)
    }
}

/// Appends a text's record: key, length, outcome.
pub(super) fn write_record(key: &Key, outcome: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    out.extend_from_slice(&u32::try_from(outcome.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(outcome);
}

/// The next record; `Some(None)` at the end, `None` when there is half a record or none.
fn read_record(from: &mut impl Read) -> Option<Option<(Key, Box<[u8]>)>> {
    let mut head = [0; 20];
    match from.read(&mut head[..1]).ok()? {
        0 => return Some(None),
        _ => from.read_exact(&mut head[1..]).ok()?,
    }
    let (key, count) = (*head.first_chunk::<16>()?, u32::from_le_bytes(*head.last_chunk::<4>()?) as usize);
    if count > RECORD_BYTES {
        return None;
    }
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes).ok()?;
    record::decode(&bytes, ("", "")).is_some().then_some(())?;
    Some(Some((key, bytes.into_boxed_slice())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_known_follows_from_the_order_of_the_texts(texts in prop::collection::vec(0u8..12, 0..60), cut in 0usize..60) {
            let texts: Vec<Key> = texts.iter().map(|n| key(&format!("text {n}"), None)).collect();
            let cut = cut.min(texts.len());
            let mut all = Known::with_room_for(5);
            let outcomes: Vec<bool> = texts.iter().map(|key| all.slot(*key).1).collect();
            // The same with an interruption: only the new ones are told to the second half.
            let mut resumed = Known::with_room_for(5);
            for (key, _) in texts.iter().zip(&outcomes).take(cut).filter(|(_, new)| **new) {
                resumed.insert(*key, Slot::default());
            }
            let rest: Vec<bool> = texts[cut..].iter().map(|key| resumed.slot(*key).1).collect();
            prop_assert_eq!(&rest[..], &outcomes[cut..]);
            prop_assert!(all.slots.len() <= 5 && all.slots.len() == all.order.len());
        }
    }

    #[test]
    fn records_are_read_back_and_a_damaged_file_is_noticed() {
        let mut bytes = Vec::new();
        let outcome = record::encode(&Err("too long".into()));
        for text in ["a", "b"] {
            write_record(&key(text, Some("en")), &outcome, &mut bytes);
        }
        let mut known = Known::read(&bytes[..]).unwrap();
        let (slot, new) = known.slot(key("b", Some("en")));
        assert_eq!((slot.get().map(|o| &o[..]), new), (Some(&outcome[..]), false));
        assert!(known.slot(key("b", None)).1);
        assert!(Known::read(&bytes[..bytes.len() - 1]).is_none());
        bytes[16] ^= 1;
        assert!(Known::read(&bytes[..]).is_none());
    }
}
