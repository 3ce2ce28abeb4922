//! The expressions that find candidates, compiled once. What they find is only a candidate: the detectors check it.

use std::sync::LazyLock;

use regex::Regex;

/// What may stand between the digits of a number that people group.
macro_rules! between {
    () => {
        r"[ .\-/\u{a0}\u{2009}\u{202f}\u{2010}-\u{2014}]"
    };
}

/// Every expression; all are searched in linear time.
pub(super) struct Patterns {
    /// With a scheme, with `www.`, or a host with a path.
    pub(super) url: Regex,
    /// An address, also with ` @ `, `(at)` and `(dot)`.
    pub(super) email: Regex,
    /// The country and check digits of an IBAN.
    pub(super) iban: Regex,
    /// Thirteen or more digits in groups.
    pub(super) card: Regex,
    /// Digits in groups, with what may stand in a telephone number.
    pub(super) phone: Regex,
    /// Four numbers with dots.
    pub(super) ip4: Regex,
    /// Hexadecimal groups with colons.
    pub(super) ip6: Regex,
    /// National ids, in the order of `national::CHECKS`.
    pub(super) national: Vec<Regex>,
}

static ALL: LazyLock<Option<Patterns>> = LazyLock::new(|| Patterns::try_new().ok());

impl Patterns {
    /// The expressions; `None` if one does not compile, which a test rules out: then every text is withheld.
    pub(super) fn all() -> Option<&'static Self> {
        ALL.as_ref()
    }

    fn try_new() -> Result<Self, regex::Error> {
        Ok(Self {
            url: Regex::new(concat!(
                r#"(?i)\b(?:[a-z][a-z0-9+.\-]{1,19}://|www\.)[^\s<>"'`]+"#,
                r#"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?::[0-9]+)?[/?][^\s<>"'`]+"#
            ))?,
            email: Regex::new(concat!(
                r"(?i)[\p{L}\p{N}_+](?:[\p{L}\p{N}._%+'\-]*[\p{L}\p{N}_+\-])?",
                r"(?:@| @ |\s?[(\[{]\s?at\s?[)\]}]\s?)",
                r"(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?))+",
                r"\p{L}{2,}"
            ))?,
            iban: Regex::new(r"\b[A-Za-z]{2}[0-9]{2}")?,
            card: Regex::new(concat!("[0-9](?:", between!(), "{0,3}[0-9]){12,}"))?,
            phone: Regex::new(concat!(r"[+(]{0,2}[0-9](?:(?:", between!(), r"|[()]){0,3}[0-9]){5,}"))?,
            ip4: Regex::new(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")?,
            ip6: Regex::new(r"(?i)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:(?:\.[0-9]{1,3}){3})?")?,
            national: super::national::CHECKS
                .iter()
                .map(|(pattern, _)| Regex::new(pattern))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(Patterns::try_new().map(|_| ()).is_ok() && Patterns::all().is_some());
    }
}
