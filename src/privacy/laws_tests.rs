//! What holds for every text.

use proptest::prelude::*;

use super::*;

/// Texts of what detectors look for, glued together in any way.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("4111 1111 1111 1111".to_owned()),
        Just("jane@example.com".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        Just("https://a:b@c.io/?token=x".to_owned()),
        Just("www.x.io/a8Kd93jPq02ks93LmZx4".to_owned()),
        Just("+49 171 1234567".to_owned()),
        Just("020 7946 0958".to_owned()),
        Just("415-555-2671".to_owned()),
        Just("123-45-6789".to_owned()),
        Just("203.0.113.9".to_owned()),
        Just("2001:db8::ff00:42:8329".to_owned()),
        Just("call ".to_owned()),
        Just("order ".to_owned()),
        Just("[EMAIL]".to_owned()),
        "[0-9 .@/:()\\[\\]+#?=-]{1,12}",
        "[a-f0-9:.]{1,10}",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// A card of a known issuer with right check digit, written with one separator.
fn card() -> impl Strategy<Value = String> {
    let start = prop_oneof![Just("4"), Just("51"), Just("6011"), Just("2221")];
    (start, "[0-9]{15}", prop_oneof![Just(""), Just(" "), Just("-"), Just(".")]).prop_map(
        |(start, rest, gap)| {
            let digits = format!("{start}{}", &rest[..15 - start.len()]);
            let check =
                ('0'..='9').find(|c| checksum::luhn(format!("{digits}{c}").as_bytes())).unwrap_or('0');
            let whole = format!("{digits}{check}");
            [&whole[..4], &whole[4..8], &whole[8..12], &whole[12..]].join(gap)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn redacting_twice_is_redacting_once(text in nasty()) {
        let once = redact(&text);
        let twice = redact(&once.text);
        prop_assert!(twice.redactions.is_empty(), "{} -> {} -> {}", text, once.text, twice.text);
    }

    #[test]
    fn spans_slice_both_texts_and_the_rest_is_unchanged(text in nasty()) {
        let redacted = redact(&text);
        let (mut old, mut new) = (0, 0);
        for r in &redacted.redactions {
            prop_assert_eq!(&text[old..r.original.start], &redacted.text[new..r.placed.start]);
            prop_assert_eq!(&redacted.text[r.placed.clone()], r.kind.placeholder());
            prop_assert!(!text[r.original.clone()].is_empty());
            (old, new) = (r.original.end, r.placed.end);
        }
        prop_assert_eq!(&text[old..], &redacted.text[new..]);
    }

    #[test]
    fn every_range_maps_to_one_that_slices_and_keeps_its_order(text in nasty(), a in 0usize..80, b in 0usize..80) {
        let redacted = redact(&text);
        let (start, end) = (text.floor_char_boundary(a.min(b)), text.floor_char_boundary(a.max(b)));
        let mapped = redacted.map(start..end);
        prop_assert!(mapped.start <= mapped.end || start == end);
        prop_assert!(redacted.text.get(mapped.start.min(mapped.end)..mapped.end).is_some());
    }

    #[test]
    fn no_card_of_the_text_is_left(before in "[w-zA-D ,:(]{0,12}", card in card(), after in "[a-zA-Z ,.)!]{0,12}") {
        let redacted = redact(&format!("{before}{card}{after}"));
        let digits: String = card.chars().filter(char::is_ascii_digit).collect();
        let left: String = redacted.text.chars().filter(char::is_ascii_digit).collect();
        prop_assert!(!left.contains(&digits), "{}", redacted.text);
    }

    #[test]
    fn any_text_at_all_is_redacted_without_a_panic(text in "\\PC{0,200}") {
        let _ = redact(&text);
    }
}
