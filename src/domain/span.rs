//! Ranges of the text that was sent, in bytes and in Unicode scalar values.

/// A half-open range of a text, in bytes of its UTF-8 form and in Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub byte_start: usize,
    /// One past the last byte.
    pub byte_end: usize,
    /// First scalar value.
    pub char_start: usize,
    /// One past the last scalar value.
    pub char_end: usize,
}

/// Turns byte ranges of one text into [`Span`]s; asks for ranges in ascending order are cheap.
pub struct Spans<'t> {
    text: &'t str,
    byte: usize,
    chars: usize,
}

impl<'t> Spans<'t> {
    /// For ranges of `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, byte: 0, chars: 0 }
    }

    /// The span of a byte range, widened to whole characters and cut at the text's end.
    pub fn of(&mut self, range: std::ops::Range<usize>) -> Span {
        let byte_start = floor(self.text, range.start);
        let byte_end = ceil(self.text, range.end.max(range.start));
        let char_start = self.chars_before(byte_start);
        Span { byte_start, byte_end, char_start, char_end: self.chars_before(byte_end) }
    }

    fn chars_before(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            (self.byte, self.chars) = (0, 0);
        }
        self.chars += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.chars
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_count_characters_beside_bytes() {
        let span = Spans::new("café 👍🏽 ok").of(6..14);
        assert_eq!(span, Span { byte_start: 6, byte_end: 14, char_start: 5, char_end: 7 });
    }

    proptest! {
        #[test]
        fn every_range_of_every_text_gives_a_span_that_slices_it(text in "\\PC{0,40}", a in 0usize..200, b in 0usize..200) {
            let mut spans = Spans::new(&text);
            let _ = spans.of(a..b);
            let span = spans.of(a.min(b)..b);
            let slice = &text[span.byte_start..span.byte_end];
            prop_assert_eq!(slice.chars().count(), span.char_end - span.char_start);
        }
    }
}
