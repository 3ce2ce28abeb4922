//! Colours and marks for people at a terminal; `anstream` drops them when nobody sees them.

use std::ops::Range;

use anstyle::{AnsiColor, Style};

use crate::api::grpc::v1::{Evidence, Sentiment, SentimentLabel};

/// Bars are this many characters long.
const BAR: usize = 10;
/// Words are marked in a text when they carry this share of what the strongest ones carry: with all of them, short texts would be
/// underlined from end to end.
const MARKED: f64 = 0.6;

pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

/// The colour of a sentiment. Signs beside it say the same for those who can't tell the colours.
pub(super) fn sentiment(label: SentimentLabel) -> (Style, &'static str) {
    match label {
        SentimentLabel::Negative => (AnsiColor::Red.on_default().bold(), "−"),
        SentimentLabel::Positive => (AnsiColor::Green.on_default().bold(), "+"),
        SentimentLabel::Mixed => (AnsiColor::Yellow.on_default().bold(), "±"),
        SentimentLabel::Neutral | SentimentLabel::Unspecified => (AnsiColor::Cyan.on_default().bold(), "·"),
    }
}

/// `text` in `style`.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A probability as a bar.
pub(super) fn bar(p: f64) -> String {
    let full = (p.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    format!("{}{}", "█".repeat(full), styled(DIM, &"░".repeat(BAR - full)))
}

/// `text` with ranges underlined and in `style`; control characters are made visible, so that a text can't steer the
/// terminal.
pub(super) fn marked(text: &str, ranges: &[Range<usize>], style: Style) -> String {
    let style = style.underline();
    let mut out = String::new();
    let mut at = 0;
    for range in ranges {
        if range.start < at || text.get(range.clone()).is_none() {
            continue;
        }
        out.push_str(&visible(&text[at..range.start]));
        out.push_str(&styled(style, &visible(&text[range.clone()])));
        at = range.end;
    }
    out.push_str(&visible(&text[at..]));
    out
}

/// The same, up to `shown` bytes; what is left is counted.
pub(super) fn marked_to(text: &str, shown: usize, ranges: &[Range<usize>], style: Style) -> String {
    if text.len() <= shown {
        return marked(text, ranges, style);
    }
    let mut end = shown;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let rest = text[end..].chars().count();
    format!("{}{}", marked(&text[..end], ranges, style), styled(DIM, &format!(" … (+{rest} characters)")))
}

/// Where the words stand that speak most for a sentiment.
pub(super) fn evidence_ranges(feeling: &Sentiment) -> Vec<Range<usize>> {
    let strong = |e: &Evidence| {
        let strongest = e.spans.iter().map(|s| s.contribution).fold(0.0, f64::max);
        let spans = e.spans.iter().filter(|s| s.contribution > 0.0 && s.contribution >= MARKED * strongest);
        spans.filter_map(|s| s.span).collect::<Vec<_>>()
    };
    let mut ranges: Vec<Range<usize>> = feeling
        .evidence
        .iter()
        .filter_map(|e| e.evidence.as_ref())
        .flat_map(strong)
        .map(|s| s.byte_start as usize..s.byte_end as usize)
        .collect();
    ranges.sort_by_key(|r| r.start);
    ranges
}

/// Control characters as their pictures; line breaks as a sign and a space.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '⏎',
            '\t' => ' ',
            '\r' => ' ',
            c if (c as u32) < 0x20 => char::from_u32(0x2400 + c as u32).unwrap_or('␀'),
            '\u{7f}'..='\u{9f}' => '␡',
            // Bidirectional overrides would turn the rest of the line round.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '�',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_steer_the_terminal() {
        let shown = visible("a\u{1b}[2Jb\u{202e}c\u{9b}d\ne");
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\n']), "{shown:?}");
    }

    #[test]
    fn marks_stand_where_the_ranges_say_and_bad_ranges_are_left_out() {
        let shown = marked("café is bad", &[0..5, 4..6, 9..12, 90..95], BOLD);
        let bare = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(bare, "café is bad");
        assert!(shown.contains("café\u{1b}[0m is \u{1b}[1m\u{1b}[4mbad"), "{shown:?}");
    }
}
