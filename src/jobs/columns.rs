//! Columns by name: as somebody gave it, or as exports usually call them.

use super::read::normal;
use super::table::Column;
use crate::error::Error;

/// Longest language tag that is believed, in bytes.
const TAG_BYTES: usize = 35;

/// Columns that a message lists.
const LISTED: usize = 12;

/// The column that was asked for, by its name, its question, or its number from 1; names are compared without regard to case
/// and to what is neither letter nor digit. Errors: `InvalidInput` with the flag as the field.
pub fn asked(columns: &[Column], flag: &str, given: &str) -> Result<usize, Error> {
    let wanted = normal(given);
    let same = |column: &Column| normal(&column.name) == wanted;
    let question = |column: &Column| column.question.as_deref().is_some_and(|q| normal(q) == wanted);
    let exact = columns.iter().position(|column| column.name == given.trim());
    let named = exact.or_else(|| columns.iter().position(same));
    let named = named.or_else(|| columns.iter().position(question));
    let number = given.trim().parse::<usize>().ok().filter(|n| (1..=columns.len()).contains(n));
    named.or(number.map(|n| n - 1)).ok_or_else(|| {
        Error::invalid(flag, format!("the input has no column {given:?}; it has {}", listed(columns)))
    })
}

/// The first of the usual names that a column has; names are in small letters and digits, with single blanks between words.
pub fn usual(columns: &[Column], names: &[&str]) -> Option<usize> {
    let place = |name: &&str| columns.iter().position(|column| normal(&column.name) == **name);
    names.iter().find_map(place)
}

/// The first columns, for a message.
pub fn listed(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().take(LISTED).map(|column| column.name.as_str()).collect();
    let more = columns.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}

/// The column with the customer: the one that was asked for, or the first of the usual names. Errors: `InvalidInput`.
pub fn customer_column(columns: &[Column], given: Option<&str>, names: &[&str]) -> Result<usize, Error> {
    if let Some(given) = given {
        return asked(columns, "customer-column", given);
    }
    usual(columns, names).ok_or_else(|| {
        let problem = "no column has a usual name for the customer; name one with --customer-column";
        Error::invalid("customer-column", format!("{problem}. There are {}", listed(columns)))
    })
}

/// The language that a cell names, if that is a tag such as `EN` or `pt_BR`; what is none may be anything that somebody wrote.
pub(in crate::jobs) fn language_tag(cell: &str) -> Option<String> {
    let cell = cell.trim();
    let is_word = |part: &str, digits: bool| {
        part.bytes().all(|b| b.is_ascii_alphabetic() || (digits && b.is_ascii_digit()))
    };
    let mut parts = cell.split(['-', '_']);
    let primary = parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && is_word(p, false));
    let rest = parts.all(|p| (1..=8).contains(&p.len()) && is_word(p, true));
    (primary && rest && cell.len() <= TAG_BYTES).then(|| cell.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::samples::columns;

    #[test]
    fn a_column_is_found_by_name_and_number_and_a_missing_one_says_what_there_is() {
        let table = columns(&["Customer ID", "Sent_At", "sent at", "2"]);
        for (given, expected) in [("customer-id", 0), ("Sent_At", 1), ("sent at", 2), ("1", 0), ("2", 3)] {
            assert_eq!(asked(&table, "customer-column", given).unwrap(), expected, "{given}");
        }
        let error = asked(&table, "customer-column", "account").unwrap_err();
        assert_eq!(error.field(), Some("customer-column"));
        assert!(error.public().contains("Customer ID, Sent_At"), "{error}");
        assert_eq!(usual(&table, &["account id", "sent at"]), Some(1));
        assert_eq!(usual(&table, &["stage"]), None);
    }
}
