//! Check digits, over ASCII digits and letters; anything else fails.

/// Luhn's formula (ISO/IEC 7812-1, annex B) over all digits, the last of which is the check digit.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (u32::from(digit.wrapping_sub(b'0')), place % 2) {
            (value, 0) => value,
            (value, _) if value > 4 => 2 * value - 9,
            (value, _) => 2 * value,
        })
        .sum();
    digits.iter().all(u8::is_ascii_digit) && sum.is_multiple_of(10)
}

/// MOD 97-10 (ISO/IEC 7064) of an IBAN (ISO 13616): the first four characters go to the end, letters count from 10.
pub(super) fn iban(characters: &[u8]) -> bool {
    let Some((head, rest)) = characters.split_at_checked(4) else { return false };
    let mut remainder = 0u32;
    for character in rest.iter().chain(head) {
        remainder = match character.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => (remainder * 10 + u32::from(digit - b'0')) % 97,
            letter @ b'A'..=b'Z' => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
            _ => return false,
        };
    }
    remainder == 1
}

/// Verhoeff's formula (1969) with the multiplication of the dihedral group D5; the last digit is the check digit.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    let permute = |digit: u8, times: usize| {
        (0..times).fold(digit, |d, _| [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][usize::from(d) % 10])
    };
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + (b - 5)) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let check =
        digits.iter().rev().enumerate().fold(0, |check, (place, digit)| {
            multiply(check, permute(digit.wrapping_sub(b'0') % 10, place % 8))
        });
    digits.iter().all(u8::is_ascii_digit) && check == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_examples_pass_and_a_changed_digit_fails() {
        for (check, good, bad) in [
            (luhn as fn(&[u8]) -> bool, "4111111111111111", "4111111111111112"),
            (luhn, "79927398713", "79927398710"),
            (iban, "GB29NWBK60161331926819", "GB29NWBK60161331926818"),
            (iban, "DE89370400440532013000", "DE88370400440532013000"),
            (verhoeff, "2363", "2364"),
            (verhoeff, "123451", "123450"),
        ] {
            assert!(check(good.as_bytes()), "{good}");
            assert!(!check(bad.as_bytes()), "{bad}");
        }
        assert!(!iban(b"GB2") && !luhn(b"4a"));
    }

    proptest! {
        #[test]
        fn verhoeff_finds_every_swap_of_neighbours(digits in "[0-9]{11}", at in 0usize..10) {
            let whole = (b'0'..=b'9').map(|check| [digits.as_bytes(), &[check]].concat()).find(|d| verhoeff(d));
            let whole = whole.unwrap();
            let mut swapped = whole.clone();
            swapped.swap(at, at + 1);
            prop_assert!(swapped == whole || !verhoeff(&swapped));
        }
    }
}
