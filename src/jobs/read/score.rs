//! Numbers that respondents gave, as tools write them.

/// The whole number of a cell: `9`, `9.0`, `9 - Extremely likely`, `Extremely likely - 9`. `None` for anything else, and
/// above 100.
pub fn score(cell: &str) -> Option<u8> {
    let cell = cell.trim();
    let whole = |text: &str| {
        let number: f64 = text.trim().parse().ok()?;
        ((0.0..=100.0).contains(&number) && number.fract() == 0.0).then_some(number as u8)
    };
    let digits =
        |text: &str| (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| whole(text));
    let ends = || {
        let (first, _) = cell.split_once([' ', '-', '–', '(', '='])?;
        let after = cell[first.len()..].trim_start();
        let (_, last) = cell.rsplit_once([' ', '-', '–'])?;
        let before = cell[..cell.len() - last.len()].trim_end();
        let front = after.starts_with(['-', '–', '(', '=']).then(|| digits(first)).flatten();
        front
            .or_else(|| {
                (before.ends_with(['-', '–']) && !before.trim_end_matches(['-', '–', ' ']).is_empty())
                    .then(|| digits(last))
                    .flatten()
            })
            .flatten()
    };
    whole(cell).or_else(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_read_as_tools_write_them() {
        for (cell, expected) in [
            ("9", Some(9)),
            (" 10 ", Some(10)),
            ("9.0", Some(9)),
            ("0 - Not at all likely", Some(0)),
            ("Extremely likely - 10", Some(10)),
            ("5 (very satisfied)", Some(5)),
            ("10 years ago", None),
            ("9.5", None),
            ("-1", None),
            ("1000", None),
            ("2 - 3 times", Some(2)),
            ("", None),
            ("-", None),
            ("NaN", None),
            ("inf", None),
            ("étoiles - 3", Some(3)),
        ] {
            assert_eq!(score(cell), expected, "{cell}");
        }
    }
}
