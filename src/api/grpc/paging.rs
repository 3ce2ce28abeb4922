//! Lists page by page: one entry more than a page is asked for, and only tells that there are more.

use crate::error::Error;

/// Entries on a page.
const PAGE: usize = 20;

/// How many entries a page has; 0 asks for the usual number. Errors: `InvalidInput` above `most`.
pub(super) fn page_size(asked: u32, most: usize) -> Result<usize, Error> {
    match asked as usize {
        0 => Ok(PAGE),
        size if size <= most => Ok(size),
        _ => Err(Error::invalid("page_size", format!("expected at most {most}"))),
    }
}

/// Cuts off the entry that only tells that there are more; the token is the last one's.
pub(super) fn cut<T>(entries: &mut Vec<T>, size: usize, token: impl Fn(&T) -> String) -> String {
    let more = entries.len() > size;
    entries.truncate(size);
    entries.last().filter(|_| more).map(token).unwrap_or_default()
}

/// What is said of a token that is none.
pub(super) fn wrong_token() -> Error {
    Error::invalid("page_token", "expected the token of the page before")
}
