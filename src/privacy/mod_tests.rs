//! What is taken out, and what only looks like it.

use super::*;

/// Redacts each text and compares.
fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(redact(text).text, *expected, "{text}");
    }
}

#[test]
fn placeholders_stand_where_persons_were_named() {
    check(&[
        ("write to jane.doe+x@mail.example.co.uk.", "write to [EMAIL]."),
        ("jane (at) example (dot) com", "[EMAIL]"),
        ("Call +44 (0)20 7946 0958, or (415) 555-2671!", "Call [PHONE], or [PHONE]!"),
        ("0171/1234567 oder 06 12 34 56 78", "[PHONE] oder [PHONE]"),
        ("020 7946 0958/020 7946 0959", "[PHONE]/[PHONE]"),
        ("my card 4111-1111 1111.1111 12/26", "my card [CARD] 12/26"),
        ("1234 4111 1111 1111 1111", "1234 [CARD]"),
        ("DE89 3704 0044 0532 0130 00 and more", "[IBAN] and more"),
        ("ssn 219099999, NI ab 12 34 56 c", "ssn [ID], NI [ID]"),
        ("from 203.0.113.9, 2001:db8:85a3::8a2e:370:7334", "from [IP], [IP]"),
        ("https://u:p@h.example/x?token=1)", "https://[CREDENTIALS]@h.example/[TOKEN])"),
        ("http://203.0.113.9/a", "http://[IP]/a"),
    ]);
}

#[test]
fn numbers_that_name_things_stay() {
    for text in [
        "order 415-555-2671",
        "#020 7946 0958",
        "on 2024-01-02 10:30, 01.02.2024, 01/02/2024 1030",
        "version 10.15.7.1, v1.2.3.4, 1.2.3.4.5, 256.1.1.1",
        "paid 1.234.567,89 or $1,234,567.89",
        "4111 1111 1111 1112",
        "DE88370400440532013000",
        "000-12-3456 666-12-3456 123-00-4567 123-45-0000",
        "BG123456C",
        "10:20:30 a::b::c",
        "@jane 5 @ 10",
        "https://example.com/blog/how-to-reset-in-2024?page=2",
    ] {
        let redacted = redact(text);
        assert_eq!((redacted.text.as_str(), redacted.redactions.len()), (text, 0), "{text}");
    }
}

#[test]
fn ranges_of_the_original_are_followed_and_widened_to_placeholders() {
    let text = "mail jane@example.com or call 020 7946 0958 now";
    let redacted = redact(text);
    assert_eq!(redacted.text, "mail [EMAIL] or call [PHONE] now");
    for (of, expected) in [
        ("mail", "mail"),
        ("jane@example.com", "[EMAIL]"),
        ("example", "[EMAIL]"),
        ("mail jane", "mail [EMAIL]"),
        ("com or call", "[EMAIL] or call"),
        ("or call", "or call"),
        ("0958 now", "[PHONE] now"),
        (text, "mail [EMAIL] or call [PHONE] now"),
    ] {
        let start = text.find(of).unwrap();
        assert_eq!(&redacted.text[redacted.map(start..start + of.len())], expected, "{of}");
    }
    assert_eq!(redacted.map(5..5), 5..5);
}

#[test]
fn a_text_that_cannot_be_searched_is_withheld() {
    let withheld = place("secret 1", &[(Kind::Withheld, 0..8)]);
    assert_eq!((withheld.text.as_str(), withheld.map(2..4)), ("[WITHHELD]", 0..10));
}

#[test]
fn a_redacted_text_that_is_logged_does_not_say_its_text() {
    let shown = format!("{:?}", redact("my secret 1"));
    assert!(!shown.contains("secret") && shown.contains("11"), "{shown}");
}
