//! A transcript from anywhere in any format: refused with a message, or conversations within the bounds that survive the
//! own schema. The first byte chooses the format and whether texts are cleaned; with FORMAT in the environment, such as
//! FORMAT=zendesk, it only says whether texts are cleaned.
#![no_main]

use attune::transcript::{Format, ImportOptions, NAME_BYTES, TEXT_BYTES, TURNS, detect, import, jsonl};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FORMAT: LazyLock<Option<Format>> = LazyLock::new(|| {
    let name = std::env::var("FORMAT").ok()?;
    Some(Format::of_name(&name).expect("FORMAT names a format"))
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else { return };
    let _ = detect(file, None);
    let format = FORMAT.unwrap_or(Format::ALL[usize::from(*choice >> 1) % Format::ALL.len()]);
    let options = ImportOptions { clean: choice & 1 == 0, ..ImportOptions::default() };
    let Ok(found) = import(file, format, &options) else { return };
    for (conversation, number) in found.conversations.iter().zip(1..) {
        assert!(!conversation.id.is_empty() && conversation.id.len() <= NAME_BYTES);
        assert!(!conversation.turns.is_empty() && conversation.turns.len() <= TURNS);
        for turn in &conversation.turns {
            assert!(!turn.text.trim().is_empty() && turn.text.len() <= TEXT_BYTES);
        }
        let again = jsonl::parse_line(&jsonl::to_line(conversation), number, &ImportOptions::default());
        assert_eq!(again.as_ref().ok(), Some(conversation));
    }
});
