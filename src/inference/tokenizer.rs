//! Text to token ids with byte offsets.

use std::ops::Range;
use std::sync::Arc;

use tokenizers::Tokenizer;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

use super::backend::InferenceError;
use super::known_words::{self, KnownWords, WordToken};

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
    /// Where each word is cut by itself.
    known: Option<KnownWords>,
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
        let known = cuts_words_apart(&inner).then(KnownWords::new);
        Ok(Self { inner, unknown, known })
    }

    /// The token that stands for what the vocabulary does not have, where there is one.
    pub fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// The tokens of `text`. Never fails for the length or the characters of a text.
    pub fn tokenize(&self, text: &str) -> Result<TokenizedText, InferenceError> {
        let mut all = TokenizedText { ids: Vec::new(), offsets: Vec::new() };
        for piece in pieces(text, PIECE_BYTES) {
            match &self.known {
                Some(known) => self.look_up(known, text, piece, &mut all)?,
                None => self.cut(text, piece, &mut all)?,
            }
        }
        Ok(all)
    }

    /// Adds the tokens of a part of `text`.
    fn cut(&self, text: &str, part: Range<usize>, all: &mut TokenizedText) -> Result<(), InferenceError> {
        let encoding = self
            .inner
            .encode(&text[part.clone()], false)
            // The cause may quote the text: it must not travel.
            .map_err(|_| InferenceError::Run("the tokenizer refused a text".into()))?;
        all.ids.extend_from_slice(encoding.get_ids());
        let offsets = encoding.get_offsets().iter().map(|(a, b)| part.start + a..part.start + b);
        all.offsets.extend(offsets.map(|offset| trimmed(text, offset)));
        Ok(())
    }

    /// The same; plain words that were met before are looked up.
    fn look_up(
        &self,
        known: &KnownWords,
        text: &str,
        part: Range<usize>,
        all: &mut TokenizedText,
    ) -> Result<(), InferenceError> {
        // Other words are cut together, with one byte of white space before the first: a character that is dropped, such as a control
        // character, counts to the one before it.
        let mut others: Option<Range<usize>> = None;
        for word in known_words::words(&text[part.clone()]) {
            let word = part.start + word.start..part.start + word.end;
            if !known_words::is_plain(&text[word.clone()]) {
                let start = others.map_or(word.start.saturating_sub(1).max(part.start), |o| o.start);
                others = Some(start..word.end);
                continue;
            }
            if let Some(others) = others.take() {
                self.cut(text, others, all)?;
            }
            let tokens = known.get_or_cut(&text[word.clone()], || self.cut_word(&text[word.clone()]))?;
            all.ids.extend(tokens.iter().map(|token| token.id));
            all.offsets.extend(tokens.iter().map(|token| token.at(word.start)));
        }
        others.map_or(Ok(()), |others| self.cut(text, others, all))
    }

    /// The tokens of a word that may be kept.
    fn cut_word(&self, word: &str) -> Result<Arc<[WordToken]>, InferenceError> {
        let mut cut = TokenizedText { ids: Vec::new(), offsets: Vec::new() };
        self.cut(word, 0..word.len(), &mut cut)?;
        Ok(cut.ids.iter().zip(&cut.offsets).map(|(id, place)| WordToken::new(*id, place)).collect())
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

/// Whether a tokenizer cuts each word between white space by itself, whatever stands around it: BERT's does. Byte-pair encodings
/// take the white space before a word into its first token.
fn cuts_words_apart(tokenizer: &Tokenizer) -> bool {
    matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_))
        && matches!(tokenizer.get_normalizer(), Some(NormalizerWrapper::BertNormalizer(_)))
        && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
        && tokenizer.get_added_tokens_decoder().values().all(|token| {
            !(token.lstrip
                || token.rstrip
                || token.single_word
                || token.content.contains(char::is_whitespace))
        })
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

    /// What the tokenizer says of a text by itself.
    fn uncached(tokenizer: &TextTokenizer, text: &str) -> TokenizedText {
        let mut all = TokenizedText { ids: Vec::new(), offsets: Vec::new() };
        tokenizer.cut(text, 0..text.len(), &mut all).unwrap();
        all
    }

    #[test]
    fn words_that_are_known_have_the_tokens_that_the_tokenizer_gives_them() {
        let tokenizer = tokenizer();
        assert!(tokenizer.known.is_some());
        for text in [
            "Still waiting!! Don't tell me it's \"resolved\", it isn't.",
            "still waiting!! don't\ttell me\r\nit's",
            "a \u{301}b \u{0}c d\u{200d} \u{85}e\u{85}f \u{feff}g \u{fffd}h",
            "zzyzx [SEP] [MASK] x[SEP]y \u{a0}😡😡 awful😡 שלום waiting 漢字 waiting",
        ] {
            for _ in 0..2 {
                assert_eq!(tokenizer.tokenize(text).unwrap(), uncached(&tokenizer, text), "{text:?}");
            }
        }
        let known = tokenizer.known.as_ref().unwrap();
        assert!(known.has("waiting") && known.has("zzyzx"));
        assert!(!known.has("[SEP]") && !known.has("שלום"));
    }

    #[test]
    fn only_tokenizers_that_cut_words_apart_keep_words() {
        let embedded = String::from_utf8(ModelBundle::load_embedded().unwrap().tokenizer.to_vec()).unwrap();
        let keeps = |was: &str, is: &str| {
            assert!(embedded.contains(was), "{was}");
            TextTokenizer::parse(embedded.replacen(was, is, 1).as_bytes()).unwrap().known.is_some()
        };
        assert!(keeps("\"lowercase\":true", "\"lowercase\":false"));
        assert!(!keeps("{\"type\":\"BertPreTokenizer\"}", "{\"type\":\"WhitespaceSplit\"}"));
        assert!(!keeps("\"lstrip\":false", "\"lstrip\":true"));
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
        fn known_words_change_no_token_of_any_text(
            texts in prop::collection::vec("([a-zA-Z'.,!?]{0,9}|[ -~]{0,5}|\\PC{0,3}|[\\x00-\\x20\u{85}\u{a0}\u{301}\u{200d}😡漢]{1,2}| ){0,20}", 1..4)
        ) {
            static TOKENIZER: std::sync::LazyLock<TextTokenizer> = std::sync::LazyLock::new(tokenizer);
            for text in texts {
                let expected = uncached(&TOKENIZER, &text);
                prop_assert_eq!(&TOKENIZER.tokenize(&text).unwrap(), &expected);
                prop_assert_eq!(&TOKENIZER.tokenize(&text).unwrap(), &expected);
            }
        }

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
