//! Text to token ids with byte offsets.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::backend::InferenceError;

/// Texts are cut at white space into pieces of about this many bytes before they are tokenised, so that a text of a
/// megabyte needs no more memory than a few pages. Word-piece tokenizers split at white space anyway.
const PIECE_BYTES: usize = 16 * 1024;
/// What vocabularies call the token for what they don't have.
const UNKNOWN: [&str; 3] = ["[UNK]", "<unk>", "<|unk|>"];

/// A text's tokens, without markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizedText {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Where each token stands in the text, in bytes.
    pub offsets: Vec<Range<u32>>,
}

/// What a tokenizer puts around a text by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Ids before the text's tokens.
    pub before: Vec<u32>,
    /// Ids after them.
    pub after: Vec<u32>,
}

/// Cuts texts into tokens; shared by all callers.
pub struct TextTokenizer {
    inner: Tokenizer,
    unknown: Option<u32>,
}

impl TextTokenizer {
    /// Reads the content of a `tokenizer.json`.
    pub fn parse(content: &[u8]) -> Result<Self, InferenceError> {
        let fail = |e: tokenizers::Error| InferenceError::Tokenizer(e.to_string());
        let mut inner = Tokenizer::from_bytes(content).map_err(fail)?;
        // Length is bounded by windows, never by a silent cut.
        inner.with_truncation(None).map_err(fail)?;
        inner.with_padding(None);
        let unknown = UNKNOWN.iter().find_map(|token| inner.token_to_id(token));
        Ok(Self { inner, unknown })
    }

    /// The token that stands for what the vocabulary does not have, where there is one.
    pub fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// The tokens of `text`. Never fails for the length or the characters of a text.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, InferenceError> {
        let mut all = TokenizedText { ids: Vec::new(), offsets: Vec::new() };
        for piece in pieces(text, PIECE_BYTES) {
            let encoding = self
                .inner
                .encode(&text[piece.clone()], false)
                // The cause may quote the text: it must not travel.
                .map_err(|_| InferenceError::Run("the tokenizer refused a text".into()))?;
            all.ids.extend_from_slice(encoding.get_ids());
            let offsets = encoding.get_offsets().iter().map(|(a, b)| piece.start + a..piece.start + b);
            all.offsets.extend(offsets.map(|offset| trimmed(text, offset)));
        }
        Ok(all)
    }

    /// What the tokenizer puts around a text when it is let.
    pub fn frame(&self) -> Result<Frame, InferenceError> {
        let ids = |special: bool| {
            let encoding = self.inner.encode("a", special);
            encoding.map(|e| e.get_ids().to_vec()).map_err(|e| InferenceError::Tokenizer(e.to_string()))
        };
        let (bare, framed) = (ids(false)?, ids(true)?);
        let at = framed.windows(bare.len().max(1)).position(|part| part == bare).unwrap_or(framed.len());
        let after = framed.get(at + bare.len()..).unwrap_or_default().to_vec();
        Ok(Frame { before: framed[..at].to_vec(), after })
    }

    /// The id of a token, such as `[MASK]`.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Tokens that it knows.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The token of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }
}

/// An offset without the white space that some tokenizers count to the word after it. White space alone is an empty place at
/// its end, so that it belongs to the word after it and to none before.
fn trimmed(text: &str, offset: Range<usize>) -> Range<u32> {
    let word = text.get(offset.clone()).map_or(offset.len(), |covered| covered.trim_start().len());
    (offset.end - word) as u32..offset.end as u32
}

/// Ranges of about `size` bytes that cover `text`, cut after white space where there is some.
fn pieces(text: &str, size: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let mut end = (start + size).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if end < text.len() {
            let white = text[start..end].char_indices().rev().find(|(_, c)| c.is_whitespace());
            if let Some((at, c)) = white {
                end = start + at + c.len_utf8();
            }
        }
        let piece = start..end;
        start = end;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelBundle;
    use proptest::prelude::*;

    fn tokenizer() -> TextTokenizer {
        TextTokenizer::parse(&ModelBundle::load_embedded().unwrap().tokenizer).unwrap()
    }

    #[test]
    fn emoji_are_tokens_of_their_own_even_when_they_stick_to_a_word() {
        let text = "awful😡😡 café👍🏽";
        let tokens = tokenizer().tokenize(text).unwrap();
        let words: Vec<&str> =
            tokens.offsets.iter().map(|o| &text[o.start as usize..o.end as usize]).collect();
        assert_eq!(words, ["awful", "😡", "😡", "café", "👍", "🏽"]);
    }

    #[test]
    fn a_text_longer_than_a_piece_gives_the_same_tokens_as_a_short_one() {
        let tokenizer = tokenizer();
        let sentence = "The parcel never came, and nobody answers. ";
        let one = tokenizer.tokenize(sentence).unwrap();
        let many = tokenizer.tokenize(&sentence.repeat(2000)).unwrap();
        assert_eq!(many.ids, one.ids.repeat(2000));
        let last = many.offsets.last().unwrap().clone();
        assert_eq!(last.end as usize, sentence.len() * 2000 - 1);
    }

    #[test]
    fn the_frame_of_a_text_is_what_the_tokenizer_puts_around_it() {
        let tokenizer = tokenizer();
        assert_eq!(tokenizer.frame().unwrap(), Frame { before: vec![101], after: vec![102] });
        assert_eq!((tokenizer.id("[MASK]"), tokenizer.token(102)), (Some(103), Some("[SEP]".into())));
    }

    #[test]
    fn white_space_before_a_word_does_not_count_to_it() {
        for (offset, expected) in [(2..6, 3..6), (3..6, 3..6), (2..3, 3..3), (6..6, 6..6)] {
            assert_eq!(trimmed("on the", offset.clone()), expected, "{offset:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_cover_the_text_and_stop_at_characters(text in "[ab é\\p{Han}\n]{0,300}", size in 4usize..40) {
            let joined: String = pieces(&text, size).map(|r| &text[r]).collect();
            prop_assert_eq!(joined, text);
        }
    }

    #[test]
    fn offsets_lie_inside_the_text_for_every_kind_of_character() {
        let tokenizer = tokenizer();
        for text in [
            "",
            " \t\n",
            "\u{0}\u{7}a\u{301}\u{301}",
            "שלום עליכם",
            "👩‍👩‍👧‍👦 ok",
            "ﬁne İstanbul",
            "\u{202e}abc",
            "a\u{feff}b",
        ] {
            let tokens = tokenizer.tokenize(text).unwrap();
            for offset in &tokens.offsets {
                assert!(
                    text.get(offset.start as usize..offset.end as usize).is_some(),
                    "{text:?} {offset:?}"
                );
            }
        }
    }
}
