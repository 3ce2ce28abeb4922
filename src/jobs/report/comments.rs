//! Comments with their evidence highlighted.

use super::drawing::short;
use super::format::{count, many, odds, percent};
use super::labels::{Weight, spoken};
use super::reading::Comment;
use super::shown::{Mark, Marked};
use super::tally::Tally;

/// Words of evidence that are listed below a comment.
const REASONS: usize = 4;

/// Characters of such words; the comment above has the rest.
const REASON_CHARS: usize = 60;

/// A piece of a comment's text, highlighted or not.
pub(super) struct Piece {
    pub(super) text: String,
    /// `None` where nothing speaks for or against a label.
    pub(super) mark: Option<Highlight>,
}

/// How a piece is highlighted.
pub(super) struct Highlight {
    /// `negative`, `positive`, `cue` or `against`.
    pub(super) class: &'static str,
    /// The labels with what the words contribute.
    pub(super) says: String,
}

/// A cue of a comment.
pub(super) struct Chip {
    pub(super) text: String,
    pub(super) pressing: bool,
}

/// A comment as the page shows it.
pub(super) struct CommentView {
    pub(super) place: String,
    pub(super) facts: Vec<String>,
    pub(super) chips: Vec<Chip>,
    pub(super) pieces: Vec<Piece>,
    pub(super) begins_later: bool,
    pub(super) goes_on: bool,
    pub(super) reasons: Vec<String>,
}

/// What the page shows of a comment.
pub(super) fn view(comment: &Comment, tally: &Tally) -> CommentView {
    let named = |name: &str, value: &str| (!value.trim().is_empty()).then(|| format!("{name} {value}"));
    let [negative, positive] = comment.probabilities.map(|micro| percent(f64::from(micro) / 1e6));
    let sentiment = format!("{}: P(negative) {negative}, P(positive) {positive}", comment.sentiment);
    let mut facts: Vec<String> = (!comment.sentiment.is_empty()).then_some(sentiment).into_iter().collect();
    facts.extend(named("score:", &comment.score));
    facts.extend(tally.by.as_deref().and_then(|by| named(&format!("{by}:"), &comment.segment)));
    // Of one question alone every comment would say the same.
    let question = Some(&comment.question).filter(|_| tally.questions.len() > 1);
    facts.extend(question.and_then(|question| named("question:", question)));
    let chip = |(cue, probability): &(String, u32)| Chip {
        text: format!("{} {}", spoken(cue), percent(f64::from(*probability) / 1e6)),
        pressing: Weight::of(cue) > Weight::Other,
    };
    let id = named(", id", &comment.id).unwrap_or_default();
    CommentView {
        place: format!("Row {}, line {}{id}", comment.row, comment.place),
        facts,
        chips: comment.cues.iter().map(chip).collect(),
        pieces: pieces(&comment.marked),
        begins_later: comment.marked.begins_later,
        goes_on: comment.marked.goes_on,
        reasons: reasons(&comment.marked),
    }
}

/// What contradicts the scores; `None` without scores.
pub(super) fn conflicts(tally: &Tally) -> Option<String> {
    let scores = tally.scores.as_ref()?;
    let [low, _, high] = scores.scale.names();
    let [negative, positive] = scores.conflicts;
    let shown = tally.conflicts.comments().len();
    Some(format!(
        "{} of {high} are negative, {} of {low} are positive. The {shown} in which the model is surest follow.",
        many(negative, "comment"),
        count(positive)
    ))
}

/// The text cut at every mark's ends; a piece that several marks cover names them all.
fn pieces(marked: &Marked) -> Vec<Piece> {
    let mut ends: Vec<usize> = marked.marks.iter().flat_map(|mark| [mark.start, mark.end]).collect();
    ends.extend([0, marked.text.len()]);
    ends.sort_unstable();
    ends.dedup();
    let piece = |pair: &[usize]| {
        let text = marked.text.get(pair[0]..pair[1])?;
        let over = marked.marks.iter().filter(|mark| mark.start < pair[1] && pair[0] < mark.end);
        Some(Piece { text: text.to_owned(), mark: highlight(over.collect()) })
    };
    ends.windows(2).filter_map(piece).collect()
}

fn highlight(mut over: Vec<&Mark>) -> Option<Highlight> {
    over.sort_by_key(|mark| (std::cmp::Reverse(mark.milli.abs()), mark.label.clone()));
    let says: Vec<String> = over.iter().map(|mark| said(mark)).collect();
    let speaking = |label: fn(&str) -> bool| over.iter().any(|mark| mark.milli > 0 && label(&mark.label));
    let class = match over.first()?.milli {
        _ if speaking(|label| label != "negative" && label != "positive") => "cue",
        _ if speaking(|label| label == "negative") => "negative",
        _ if speaking(|label| label == "positive") => "positive",
        _ => "against",
    };
    Some(Highlight { class, says: says.join("; ") })
}

fn said(mark: &Mark) -> String {
    format!("{} {}", spoken(&mark.label), odds(mark.milli as f64 / 1000.0))
}

/// The strongest words, for readers to whom a highlight says nothing.
fn reasons(marked: &Marked) -> Vec<String> {
    let mut strongest: Vec<&Mark> = marked.marks.iter().collect();
    strongest.sort_by_key(|mark| (std::cmp::Reverse(mark.milli.abs()), mark.start));
    let words = |mark: &Mark| Some(short(marked.text.get(mark.start..mark.end)?.trim(), REASON_CHARS));
    strongest
        .into_iter()
        .take(REASONS)
        .filter_map(|mark| Some(format!("“{}” {}", words(mark)?, said(mark))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_evidence_is_quoted_briefly_below_the_comment() {
        let mark = Mark { start: 0, end: 250, label: "negative".into(), milli: 1500 };
        let text = "word ".repeat(50);
        let marked = Marked { text, begins_later: false, goes_on: false, marks: vec![mark] };
        assert_eq!(reasons(&marked), [format!("“{}word…” negative +1.5", "word ".repeat(11))]);
    }
}
