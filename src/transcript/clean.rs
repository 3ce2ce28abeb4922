//! What the writer of a mail said in it: without earlier mails, signatures and a ticket system's own lines.
//!
//! Each step keeps what it is not sure about, and a text of which nothing would be left is kept whole.

use super::assemble::Assembly;
use super::{Skip, boilerplate, quoted, signature};

/// Cuts a mail's text and counts what was cut. Does nothing when the options say so.
pub(super) fn mail(text: &str, assembly: &mut Assembly) -> String {
    if !assembly.options.clean {
        return text.trim().to_owned();
    }
    let mut left: Vec<String> = text.trim().lines().map(str::to_owned).collect();
    for (step, reason) in [
        (quoted::cut as fn(&[String]) -> Vec<String>, Skip::Quoted),
        (boilerplate::cut, Skip::Boilerplate),
        (signature::cut, Skip::Signature),
    ] {
        let kept = step(&left);
        if kept != left && kept.iter().any(|line| !line.trim().is_empty()) {
            assembly.skip(reason);
            left = kept;
            // What stood between two blank lines is gone.
            left.dedup_by(|line, above| line.trim().is_empty() && above.trim().is_empty());
        }
    }
    left.join("\n").trim().to_owned()
}

/// Small letters, typographic apostrophes as plain ones, single spaces.
pub(super) fn folded(line: &str) -> String {
    line.to_lowercase().replace('’', "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
