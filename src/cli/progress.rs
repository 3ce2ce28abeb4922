//! How far a job is: a bar with the time that is left, for people; nothing when nobody looks.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::jobs::checkpoint::Totals;

/// How often a bar that stands still is drawn again.
const TICK: Duration = Duration::from_millis(250);
/// Bytes that are looked through for line breaks at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// A bar, on a terminal.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    /// Rows that earlier runs had written, and when this one had its first.
    first: Option<(u64, Instant)>,
}

impl Progress {
    /// For a file, or for `None` where it can't be told how long the input is.
    pub(super) fn new(input: Option<&Path>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| match input.and_then(lines) {
            Some(lines) => styled(ProgressBar::new(lines), "{bar:30} {percent:>3} % {msg}, {eta} left"),
            None => styled(ProgressBar::no_length(), "{spinner} {msg}, {elapsed}"),
        });
        if let Some(bar) = &bar {
            bar.enable_steady_tick(TICK);
        }
        Self { bar, first: None }
    }

    /// Shows how far it is; `place` is the last row's line.
    pub(super) fn show(&mut self, totals: &Totals, place: u64) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(bar.length().map_or(place, |length| place.min(length)));
        let (rows, since) = *self.first.get_or_insert_with(|| {
            // What was done before says nothing of this run's pace.
            bar.reset_eta();
            (totals.read, Instant::now())
        });
        let rate = (totals.read - rows) as f64 / since.elapsed().as_secs_f64().max(1e-3);
        bar.set_message(format!("{} rows, {rate:.0}/s", totals.read));
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Counts things up to a number, on a terminal; hidden elsewhere.
pub(super) fn counting(total: usize, what: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    styled(ProgressBar::new(total as u64), "{pos} of {len} {msg}").with_message(what.to_owned())
}

/// Counts bytes, on a terminal; hidden elsewhere.
pub(super) fn bytes() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = styled(ProgressBar::no_length(), "{bar:30} {bytes} of {total_bytes}, {eta} left, {msg}");
    bar.enable_steady_tick(TICK);
    bar
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Lines of a plain file of rows. A cell with line breaks counts as several, here and in a row's place.
fn lines(path: &Path) -> Option<u64> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    if !["csv", "tsv", "tab", "txt", "jsonl", "ndjson"].contains(&extension.as_str()) {
        return None;
    }
    // What comes through a pipe comes but once.
    if !path.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let (mut buffer, mut lines) = (vec![0; BUFFER_BYTES], 0);
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(lines),
            count => lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_plain_files_are_counted() {
        let directory = tempfile::tempdir().unwrap();
        for (name, expected) in
            [("a.csv", Some(2)), ("a.JSONL", Some(2)), ("a.xlsx", None), ("a.csv.gz", None)]
        {
            let path = directory.path().join(name);
            std::fs::write(&path, "text\nhello\n").unwrap();
            assert_eq!(lines(&path), expected, "{name}");
        }
    }
}
