//! Numbers by which states know people, by their shape and, where they have them, check digits.
//!
//! Covered: US SSN and ITIN, UK National Insurance, Canada SIN, France NIR, Spain DNI and NIE, Italy codice fiscale,
//! Brazil CPF, India Aadhaar, Sweden personnummer. A bare row of digits without a checksum is taken only behind its name.

use std::ops::Range;

use super::context::{alone, follows};
use super::patterns::Patterns;
use super::{Cut, Kind, checksum};

type Check = fn(&str, &str, &Range<usize>) -> bool;

/// Patterns, and what else must hold of the candidate's letters and digits; further arguments: the text, the place.
pub(super) const CHECKS: &[(&str, Check)] = &[
    (r"[0-9]{3}(?:-[0-9]{2}-|[ ][0-9]{2}[ ])[0-9]{4}", |id, _, _| is_ssn(id)),
    (r"[0-9]{9}", |id, text, range| is_ssn(id) && follows(text, range, &["ssn", "social"])),
    (r"(?i)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[A-D]", |id, _, _| {
        !["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].contains(&&id[..2])
    }),
    (r"[1-79][0-9]{2}-[0-9]{3}-[0-9]{3}", |id, _, _| checksum::luhn(id.as_bytes())),
    (r"[1-79][0-9]{2} ?[0-9]{3} ?[0-9]{3}", |id, text, range| {
        checksum::luhn(id.as_bytes()) && follows(text, range, &["sin", "insurance"])
    }),
    (r"[12][ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{2}", |id, _, _| is_nir(id)),
    (r"(?i)(?:[0-9]{8}|[XYZ]-?[0-9]{7})[ -]?[A-HJ-NP-TV-Z]", |id, _, _| is_dni(id)),
    (r"(?i)[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]", |id, _, _| {
        id.bytes().filter(u8::is_ascii_digit).count() >= 4
    }),
    (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", |id, _, _| is_cpf(id)),
    (r"[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}", |id, _, _| checksum::verhoeff(id.as_bytes())),
    (r"(?:19|20)?[0-9]{6}[-+][0-9]{4}", |id, _, _| is_personnummer(id)),
    (r"[0-9]{11}", |id, text, range| is_pesel(id) && follows(text, range, &["pesel"])),
];

/// Adds every national id.
pub(super) fn find(patterns: &Patterns, text: &str, found: &mut Vec<Cut>) {
    for (pattern, (_, check)) in patterns.national.iter().zip(CHECKS) {
        for candidate in pattern.find_iter(text) {
            let bare: String = candidate
                .as_str()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_uppercase();
            if alone(text, &candidate.range()) && check(&bare, text, &candidate.range()) {
                found.push((Kind::NationalId, candidate.range()));
            }
        }
    }
}

/// Areas 000 and 666, group 00 and serial 0000 are never given out (Social Security Administration, 2011); areas from
/// 900 on are ITINs, whose groups the IRS names.
fn is_ssn(id: &str) -> bool {
    let number = |range: Range<usize>| id.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let (Some(area), Some(group), Some(serial)) = (number(0..3), number(3..5), number(5..9)) else {
        return false;
    };
    let itin = matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    area != 0 && area != 666 && (area < 900 || itin) && group != 0 && serial != 0
}

/// The key is 97 − (number mod 97); the third field is a month, or a code above 12 when the month is not known.
fn is_nir(id: &str) -> bool {
    let (number, key) = (id.get(..13).map(str::parse::<u64>), id.get(13..).map(str::parse::<u64>));
    matches!((number, key), (Some(Ok(number)), Some(Ok(key))) if 97 - number % 97 == key)
}

/// The letter is the number mod 23; X, Y and Z of an NIE count as 0, 1 and 2.
fn is_dni(id: &str) -> bool {
    let Some((body, letter)) = id.split_at_checked(8) else { return false };
    let digits = body.replacen('X', "0", 1).replacen('Y', "1", 1).replacen('Z', "2", 1);
    let place = digits.parse::<usize>().map(|number| number % 23);
    place.is_ok_and(|place| "TRWAGMYFPDXBNJZSQVHLCKE".get(place..=place) == Some(letter))
}

/// Two check digits, each 11 − (weighted sum mod 11), and 0 for 10 and 11.
fn is_cpf(id: &str) -> bool {
    let digits: Vec<u32> = id.bytes().map(|b| u32::from(b.wrapping_sub(b'0'))).collect();
    let check = |length: usize| {
        let weighted = digits.iter().take(length).zip((2..=length as u32 + 1).rev()).map(|(d, w)| d * w);
        weighted.sum::<u32>() * 10 % 11 % 10
    };
    let same = digits.windows(2).all(|pair| pair[0] == pair[1]);
    digits.len() == 11 && !same && check(9) == digits[9] && check(10) == digits[10]
}

/// A date of birth, whose month says the century, and a check digit over the ten digits before it.
fn is_pesel(id: &str) -> bool {
    let digits: Vec<u32> = id.bytes().map(|b| u32::from(b.wrapping_sub(b'0'))).collect();
    let weighted = digits.iter().zip([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).map(|(digit, weight)| digit * weight);
    let month = id.get(2..4).and_then(|month| month.parse::<u32>().ok()).map(|month| month % 20);
    digits.len() == 11
        && month.is_some_and(|month| (1..=12).contains(&month))
        && weighted.sum::<u32>() % 10 == 0
}

/// A date of birth, three digits and Luhn's over the last ten.
fn is_personnummer(id: &str) -> bool {
    let ten = &id[id.len().saturating_sub(10)..];
    let number = |range: Range<usize>| ten.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let date = matches!((number(2..4), number(4..6)), (Some(1..=12), Some(1..=31 | 61..=91)));
    date && checksum::luhn(ten.as_bytes())
}
