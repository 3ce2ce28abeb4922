//! What stands around a candidate: its neighbours, and the words before and after it.

use std::ops::Range;

/// Bytes before and after a number in which words are looked at; about six words.
const NEAR_BYTES: usize = 48;
/// Words on either side that count.
const WORDS: usize = 4;
/// Words that say that a number is for calling.
const CALLING: &[&str] = &[
    "call",
    "called",
    "calling",
    "callback",
    "cell",
    "cellphone",
    "contact",
    "dial",
    "dialled",
    "fax",
    "handset",
    "landline",
    "mobile",
    "mob",
    "phone",
    "phoned",
    "reach",
    "rang",
    "ring",
    "sms",
    "tel",
    "telephone",
    "text",
    "texted",
    "whatsapp",
    "handy",
    "telefon",
    "tlf",
    "gsm",
    "portable",
    "appelez",
    "appeler",
    "anrufen",
    "rufnummer",
    "cellulare",
    "llamar",
    "téléphone",
    "móvil",
    "teléfono",
];
/// Words that say that a number names a thing.
const NAMING: &[&str] = &[
    "account",
    "article",
    "asin",
    "batch",
    "booking",
    "build",
    "case",
    "claim",
    "code",
    "confirmation",
    "consignment",
    "customer",
    "delivery",
    "ean",
    "error",
    "firmware",
    "imei",
    "invoice",
    "isbn",
    "item",
    "meter",
    "model",
    "order",
    "ordered",
    "paid",
    "parcel",
    "part",
    "policy",
    "product",
    "quote",
    "receipt",
    "ref",
    "reference",
    "reservation",
    "return",
    "rma",
    "serial",
    "shipment",
    "sku",
    "ticket",
    "tracking",
    "transaction",
    "upc",
    "version",
    "voucher",
    "amount",
    "total",
    "timestamp",
    "auftrag",
    "auftragsnummer",
    "bestellnummer",
    "bestellung",
    "kundennummer",
    "rechnung",
    "rechnungsnummer",
    "sendung",
    "sendungsnummer",
    "vertragsnummer",
    "colis",
    "commande",
    "dossier",
    "facture",
    "référence",
    "réservation",
    "envío",
    "factura",
    "pedido",
    "referencia",
    "reserva",
    "fattura",
    "ordine",
    "prenotazione",
    "spedizione",
    "encomenda",
    "fatura",
    "bestelling",
    "factuur",
    "zending",
];
/// Words that are cut short with a dot; no sentence ends behind them.
const SHORT: &[&str] = &["art", "mob", "no", "nr", "num", "núm", "ref", "tel"];

/// What the words around a number say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// It is for calling.
    Calling,
    /// It names a thing.
    Naming,
    /// Nothing.
    None,
}

/// Whether no letter or digit touches a range, and no number goes on behind a hyphen or a dot.
pub(super) fn alone(text: &str, range: &Range<usize>) -> bool {
    let mut before = text[..range.start].chars().rev();
    let mut after = text[range.end..].chars();
    let joined = |near: Option<char>, far: Option<char>| match near {
        Some(near) if near.is_alphanumeric() || near == '_' => true,
        Some('-' | '.') => far.is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    let left = joined(before.next(), before.next());
    !left && !joined(after.next(), after.next())
}

/// What the nearest telling word says: before the number, else after it.
pub(super) fn hint(text: &str, range: &Range<usize>) -> Hint {
    let before = near_before(text, range.start);
    if before.trim_end().ends_with(['#', '$', '€', '£', '¥', '₹']) {
        return Hint::Naming;
    }
    let telling = words(before).rev().take(WORDS).find_map(of_word);
    let after = || words(near_after(text, range.end)).take(WORDS).find_map(of_word);
    telling.or_else(|| after().filter(|hint| *hint == Hint::Calling)).unwrap_or(Hint::None)
}

/// Whether one of `wanted`, in small letters, is among the words before a range.
pub(super) fn follows(text: &str, range: &Range<usize>, wanted: &[&str]) -> bool {
    words(near_before(text, range.start))
        .rev()
        .take(WORDS)
        .any(|word| wanted.contains(&word.to_lowercase().as_str()))
}

/// The words that end at `at`, as they stand, cut off at a line's or a sentence's end.
fn near_before(text: &str, at: usize) -> &str {
    let near = &text[text.ceil_char_boundary(at.saturating_sub(NEAR_BYTES))..at];
    let start = near.rfind(['\n', '!', '?', ';']).map_or(0, |end| end + 1);
    let ends = near.match_indices(". ").filter(|(end, _)| !is_short(&near[..*end]));
    let start = ends.last().map_or(start, |(end, _)| start.max(end + 2));
    &near[start..]
}

fn is_short(before: &str) -> bool {
    words(before).next_back().is_some_and(|word| SHORT.contains(&word.to_lowercase().as_str()))
}

fn near_after(text: &str, at: usize) -> &str {
    let near = &text[at..text.floor_char_boundary(at + NEAR_BYTES)];
    &near[..near.find(['\n', '!', '?', ';', ',', '.']).unwrap_or(near.len())]
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn of_word(word: &str) -> Option<Hint> {
    // In small letters it is a word of other languages.
    if word == "PO" {
        return Some(Hint::Naming);
    }
    let word = word.to_lowercase();
    let singular = word.strip_suffix('s').unwrap_or(&word);
    let says = |list: &[&str]| list.contains(&word.as_str()) || list.contains(&singular);
    if says(CALLING) {
        return Some(Hint::Calling);
    }
    says(NAMING).then_some(Hint::Naming)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_telling_word_decides() {
        for (text, expected) in [
            ("call me on 1234567", Hint::Calling),
            ("my order number is 1234567", Hint::Naming),
            ("I called about order 1234567", Hint::Naming),
            ("order late. Call 1234567", Hint::Calling),
            ("I paid $ 1234567", Hint::Naming),
            ("1234567 is my mobile", Hint::Calling),
            ("it was 1234567", Hint::None),
            ("Invoice no. 1234567", Hint::Naming),
            ("phone no. 1234567", Hint::Calling),
            ("the order was late. It is 1234567", Hint::None),
            ("PO 1234567", Hint::Naming),
            ("Rechnung Nr. 1234567", Hint::Naming),
        ] {
            let at = text.find("1234567").unwrap();
            assert_eq!(hint(text, &(at..at + 7)), expected, "{text}");
        }
    }

    #[test]
    fn a_number_that_goes_on_does_not_stand_alone() {
        for (text, expected) in [
            ("x 123 y", true),
            ("(123).", true),
            ("-123 ", true),
            ("a123", false),
            ("123b", false),
            ("9-123", false),
            ("123.4", false),
            ("é123", false),
        ] {
            let at = text.find("123").unwrap();
            assert_eq!(alone(text, &(at..at + 3)), expected, "{text}");
        }
    }
}
