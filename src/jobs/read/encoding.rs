//! Which encoding a text has, and cells from bytes.
//!
//! Encodings in which the bytes of ASCII mean nothing else are split first and decoded cell by cell, so that a wrong byte
//! spoils one row; UTF-16 and its like are turned into UTF-8 on the way, with a byte that no UTF-8 has for what is wrong.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::origin::{Bytes, Origin};
use crate::error::Error;

/// Bytes that are decoded at a time.
const CHUNK: usize = 16 << 10;
/// Fewest pairs of bytes that can show UTF-16; fewer zeros are stray ones.
const WIDE_PAIRS: usize = 4;
/// Stands for what could not be decoded; no UTF-8 has it.
const WRONG: u8 = 0xff;

/// A text's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    encoding: &'static Encoding,
    /// Bytes of the mark in front.
    mark: usize,
}

impl Text {
    /// The encoding of that label, or the one that the head shows. Errors: `InvalidInput` for a label that is none.
    pub(super) fn find(origin: &Origin, label: Option<&str>) -> Result<Self, Error> {
        let marked = Encoding::for_bom(&origin.head);
        if let Some(label) = label {
            let encoding = Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
                let problem =
                    format!("{label} is no encoding; use a label such as utf-8, utf-16le or windows-1252");
                Error::invalid("encoding", problem)
            })?;
            let mark = marked.filter(|(marked, _)| *marked == encoding).map_or(0, |(_, mark)| mark);
            return Ok(Self { encoding, mark });
        }
        let (encoding, mark) = marked.unwrap_or_else(|| (guess(&origin.head, origin.is_whole()), 0));
        Ok(Self { encoding, mark })
    }

    /// Its name, for people.
    pub(super) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Whether it is more than a guess.
    pub(super) fn is_sure(&self) -> bool {
        self.mark > 0 || self.encoding == UTF_8
    }

    /// Its name and whether it has a mark, for people.
    pub(super) fn form(&self) -> String {
        let mark = if self.mark > 0 { " with a byte order mark" } else { "" };
        format!("{}{mark}", self.encoding.name())
    }

    /// The bytes without the mark, in an encoding in which ASCII is ASCII.
    pub(super) fn bytes(&self, origin: Origin) -> Bytes {
        let mut bytes = origin.bytes();
        // The mark is part of the head, which can't fail.
        let _ = io::copy(&mut (&mut bytes).take(self.mark as u64), &mut io::sink());
        if self.encoding.is_ascii_compatible() {
            bytes
        } else {
            Box::new(Transcoded::new(bytes, self.encoding))
        }
    }

    /// What the cells of [`Self::bytes`] are encoded in.
    pub(super) fn of_cells(&self) -> &'static Encoding {
        if self.encoding.is_ascii_compatible() { self.encoding } else { UTF_8 }
    }

    /// A head as text, to look at; a character that is cut at the end is left out.
    pub(super) fn decoded(&self, head: &[u8], whole: bool) -> String {
        let text = self.encoding.decode_without_bom_handling(&head[self.mark.min(head.len())..]).0;
        let cut = if whole { &text } else { text.trim_end_matches('\u{fffd}') };
        cut.to_owned()
    }
}

/// A cell as text; `None` when a byte is wrong.
pub(super) fn cell(bytes: Vec<u8>, encoding: &'static Encoding) -> Option<String> {
    if encoding == UTF_8 {
        return String::from_utf8(bytes).ok();
    }
    encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(std::borrow::Cow::into_owned)
}

fn guess(head: &[u8], whole: bool) -> &'static Encoding {
    if let Some(encoding) = wide(head) {
        return encoding;
    }
    let (right, wrong) = utf8(head, whole);
    // A few wrong bytes among right ones are wrong rows; without right ones they are another encoding.
    if wrong == 0 || right > wrong {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, whole);
    detector.guess(None, Utf8Detection::Deny)
}

/// UTF-16 without a mark: texts of the West have a zero in every other byte.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    if pairs < WIDE_PAIRS {
        return None;
    }
    match (even * 10, odd * 10) {
        (even, odd) if odd > pairs * 4 && even < pairs => Some(UTF_16LE),
        (even, odd) if even > pairs * 4 && odd < pairs => Some(UTF_16BE),
        _ => None,
    }
}

/// Characters beyond ASCII that are sound UTF-8, and places that are not.
fn utf8(head: &[u8], whole: bool) -> (usize, usize) {
    let (mut right, mut wrong, mut at) = (0, 0, 0);
    for chunk in head.utf8_chunks() {
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        at += chunk.valid().len() + chunk.invalid().len();
        let cut = !whole && at == head.len();
        wrong += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    (right, wrong)
}

/// UTF-8 out of an encoding in which ASCII is not ASCII.
struct Transcoded {
    bytes: Bytes,
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Transcoded {
    fn new(bytes: Bytes, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { bytes, decoder, input: Vec::new(), output: Vec::new(), taken: 0, ended: false }
    }

    fn more(&mut self) -> io::Result<()> {
        self.input.clear();
        let count = (&mut self.bytes).take(CHUNK as u64).read_to_end(&mut self.input)?;
        self.ended = count < CHUNK;
        (self.taken, self.output) = (0, Vec::new());
        let mut at = 0;
        loop {
            // Three bytes per byte are more than any encoding needs; what is decoded goes behind what was.
            let begin = self.output.len();
            self.output.resize(begin + 3 * (self.input.len() - at) + 16, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[at..],
                &mut self.output[begin..],
                self.ended,
            );
            at += read;
            self.output.truncate(begin + written);
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::Malformed(..) => self.output.push(WRONG),
                DecoderResult::OutputFull => {}
            }
        }
    }
}

impl Read for Transcoded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.output.len() && !self.ended {
            self.more()?;
        }
        let count = (&self.output[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
