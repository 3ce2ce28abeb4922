//! What the sample has in a column: how many words, how many different values, whether numbers or addresses.

use std::collections::HashSet;

use super::score::score;

/// What the filled cells of a column have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Contents {
    /// How many cells there are in the sample.
    pub(super) filled: usize,
    /// How many different ones.
    pub(super) distinct: usize,
    /// Share of the cells with at least three words.
    pub(super) wordy: f64,
    /// Mean number of words.
    pub(super) words: f64,
    /// Share of the cells that are numbers or dates.
    pub(super) numeric: f64,
    /// Share of the cells that are e-mail addresses, IP addresses, web addresses or phone numbers.
    pub(super) addresses: f64,
    /// How often a piece between commas occurs in the mean: above 1 where choices are joined.
    pub(super) repeats: f64,
    /// The lowest and the highest score, when every cell is one.
    pub(super) scores: Option<(u8, u8)>,
}

impl Contents {
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let filled: Vec<&str> = cells.map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let count = filled.len();
        if count == 0 {
            return Self::default();
        }
        let share = |fits: &dyn Fn(&str) -> bool| {
            filled.iter().filter(|cell| fits(cell)).count() as f64 / count as f64
        };
        let pieces: Vec<&str> = filled.iter().flat_map(|cell| cell.split(", ")).collect();
        let distinct = |values: &[&str]| values.iter().collect::<HashSet<_>>().len();
        let scores: Option<Vec<u8>> = filled.iter().map(|cell| score(cell)).collect();
        Self {
            filled: count,
            distinct: distinct(&filled),
            wordy: share(&|cell| words(cell) >= 3),
            words: filled.iter().map(|cell| words(cell)).sum::<usize>() as f64 / count as f64,
            numeric: share(&is_numeric),
            addresses: share(&is_address),
            repeats: pieces.len() as f64 / distinct(&pieces) as f64,
            scores: scores.and_then(|all| Some((*all.iter().min()?, *all.iter().max()?))),
        }
    }

    /// Whether a few values occur again and again, alone or joined by commas.
    pub(super) fn is_choice(&self) -> bool {
        self.filled >= 4 && (self.distinct * 2 <= self.filled || self.repeats >= 2.0)
    }

    /// Whether so few values occur that a column called a comment holds none; many people write "no".
    pub(super) fn is_code(&self) -> bool {
        self.filled >= 4 && self.distinct * 10 <= self.filled
    }

    /// Whether every cell is another one.
    pub(super) fn is_distinct(&self) -> bool {
        self.distinct == self.filled
    }
}

/// Words of a text; where a script has no blanks between them, two characters count as one.
fn words(text: &str) -> usize {
    let joined =
        text.chars().filter(|c| matches!(*c, '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{9fff}')).count();
    text.split_whitespace().count() + joined / 2
}

/// Whether a text holds a digit and nothing but what numbers and dates are made of.
fn is_numeric(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let marks = text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || ".,:/-+%#()".contains(c));
    // A date may have the name of a month, `AM`, `T` and `Z`, or a time zone.
    text.bytes().any(|b| b.is_ascii_digit()) && marks && letters <= 5 && text.len() <= 40
}

fn is_address(text: &str) -> bool {
    let one_word = !text.contains(char::is_whitespace);
    let mail = || text.split_once('@').is_some_and(|(_, host)| host.contains('.'));
    let web = || ["http://", "https://", "www."].iter().any(|start| text.starts_with(start));
    let ip = || text.parse::<std::net::IpAddr>().is_ok();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let phone = || digits >= 8 && text.starts_with(['+', '(']) && !text.chars().any(char::is_alphabetic);
    phone() || (one_word && (mail() || web() || ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> Contents {
        Contents::of(cells.iter().copied())
    }

    #[test]
    fn numbers_dates_and_addresses_are_told_from_words() {
        for numeric in
            ["7", "007", "3.5", "2026-03-02 10:02:33", "3/2/2026 10:02:33 PM", "02.03.2026", "12 Mar 2026"]
        {
            assert!(is_numeric(numeric), "{numeric}");
        }
        for words in ["great", "2 people waited for me", "", "I'd give it 5"] {
            assert!(!is_numeric(words), "{words}");
        }
        for address in ["a@b.example", "192.0.2.1", "2001:db8::1", "https://x.example/1", "+44 20 7946 0000"]
        {
            assert!(is_address(address), "{address}");
        }
        for text in ["mail me @ home", "ok", "call 12345678"] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn joined_choices_are_told_from_texts_with_commas() {
        let choices = of(&["Price, Speed", "Price", "Speed, Price, Support", "Support", "Price, Support"]);
        assert!(choices.is_choice(), "{choices:?}");
        let texts = of(&["Well, it broke", "No, thanks", "Fine, really, all fine", "Good, fast", "x"]);
        assert!(!texts.is_choice(), "{texts:?}");
        assert_eq!(of(&["3", "5", ""]).scores, Some((3, 5)));
        assert_eq!(of(&["3", "x"]).scores, None);
        assert_eq!(of(&["", " "]), Contents::default());
        assert!(of(&["とても良かったです"]).wordy > 0.9);
    }
}
