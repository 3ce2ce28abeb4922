//! Cues, emotions, and the words that carry most evidence.

use super::charts::{Row, shares, sides};
use super::counts::Counts;
use super::drawing::Ink;
use super::figures::{Estimate, share};
use super::format::{count, many, odds, percent};
use super::labels::{Weight, spoken};
use super::overall::counted;
use super::page::{Block, Panel, Table, figure, heads, keyed, words};
use super::phrases::Phrases;
use super::tally::Tally;
use crate::error::Error;

/// Phrases that are shown per direction.
const DRIVERS: usize = 10;
/// Phrases that are shown per cue.
const SAID: usize = 4;

fn weighed(name: &str) -> Ink {
    if Weight::of(name) > Weight::Other { Ink::Negative } else { Ink::Plain }
}

fn plain(_: &str) -> Ink {
    Ink::Plain
}

/// A cue for people; those of escalation bear a sign, for readers to whom colours say nothing.
fn cue(name: &str) -> String {
    let sign = if Weight::of(name) > Weight::Other { "▲\u{a0}" } else { "" };
    format!("{sign}{}", spoken(name))
}

fn bars(
    counts: &Counts,
    of: u64,
    ink: fn(&str) -> Ink,
    label: fn(&str) -> String,
) -> Vec<Row<(Ink, Estimate)>> {
    let row = |(name, n): (String, u64)| {
        let share = share(n, of)?;
        Some(Row { label: label(&name), figure: percent(share.value), drawn: (ink(&name), share) })
    };
    counts.ranked().into_iter().filter_map(row).collect()
}

/// What customers say or threaten; `None` when no cue was reported.
pub(super) fn cues(tally: &Tally) -> Result<Option<Panel>, Error> {
    let (counts, of) = (&tally.cues.counts, tally.coverage.scored);
    if counts.total() == 0 {
        return Ok(None);
    }
    let row = |(name, n): (String, u64)| Some(counted(keyed(weighed(&name), cue(&name)), n, &share(n, of)?));
    let table = Table {
        caption: "Comments by cue".into(),
        head: heads(["Cue", "Comments", "Share", "95\u{a0}% interval"]),
        rows: counts.ranked().into_iter().filter_map(row).collect(),
    };
    let escalating = many(tally.cues.escalating, "comment");
    let lead = vec![
        format!("{escalating} of {} carry at least one cue of escalation, marked ▲.", count(of)),
        "A comment can carry several cues.".into(),
    ];
    let drawing = Some(shares(&bars(counts, of, weighed, cue))?);
    let blocks = vec![Block { drawing, table }, Block { drawing: None, table: said(tally) }];
    Ok(Some(Panel::new("cues", "Cues", lead, blocks)))
}

/// The words behind each cue, in a table of their own: beside the figures they have no room on a phone.
fn said(tally: &Tally) -> Table {
    let quoted = |phrase: &str| format!("“{phrase}”");
    let row = |(name, _): (String, u64)| {
        let phrases: Vec<String> = tally.cues.words(&name, SAID).into_iter().map(quoted).collect();
        (!phrases.is_empty()).then(|| vec![words(cue(&name)), words(phrases.join(" · "))])
    };
    Table {
        caption: "The words that carry most evidence for each cue".into(),
        head: heads(["Cue", "Words"]),
        rows: tally.cues.counts.ranked().into_iter().filter_map(row).collect(),
    }
}

/// Emotions by group and by label; `None` when none was reported.
pub(super) fn emotions(tally: &Tally) -> Result<Option<Panel>, Error> {
    let (emotions, of) = (&tally.emotions, tally.coverage.scored);
    if emotions.labels.total() == 0 {
        return Ok(None);
    }
    let table = |counts: &Counts, caption: &str, head| Table {
        caption: caption.into(),
        head: heads([head, "Comments", "Share", "95\u{a0}% interval"]),
        rows: counts
            .ranked()
            .into_iter()
            .filter_map(|(name, n)| Some(counted(words(spoken(&name)), n, &share(n, of)?)))
            .collect(),
    };
    let groups = Block {
        drawing: Some(shares(&bars(&emotions.groups, of, plain, spoken))?),
        table: table(&emotions.groups, "Comments by group of emotions", "Group"),
    };
    let labels = Block {
        drawing: Some(shares(&bars(&emotions.labels, of, plain, spoken))?),
        table: table(&emotions.labels, "Comments by emotion", "Emotion"),
    };
    let lead = vec![
        "A comment can carry several emotions; it counts once for a group however many of the group's emotions it \
         carries."
            .into(),
    ];
    Ok(Some(Panel::new("emotions", "Emotions", lead, vec![groups, labels])))
}

/// A phrase, what it has contributed, and how often.
type Driver = (String, f64, u64);

/// The words that pull sentiment down and up; `None` without evidence.
pub(super) fn drivers(tally: &Tally) -> Result<Option<Panel>, Error> {
    let of = |phrases: &Phrases, sign: f64| -> Vec<Driver> {
        let heaviest = phrases.heaviest(DRIVERS).into_iter();
        heaviest.map(|(p, c)| (p.to_owned(), sign * c.milli as f64 / 1000.0, c.times)).collect()
    };
    let mut all = of(&tally.towards_negative, -1.0);
    all.extend(of(&tally.towards_positive, 1.0));
    if all.is_empty() {
        return Ok(None);
    }
    let bar =
        |(phrase, weight, _): &Driver| Row { label: phrase.clone(), figure: odds(*weight), drawn: *weight };
    let drawing = Some(sides(&all.iter().map(bar).collect::<Vec<_>>())?);
    let lead = vec![
        "The words that carry most evidence, with the sum of their contributions to the log-odds: below zero towards \
         negative, above zero towards positive. They say what the model went by, not what caused the feeling."
            .into(),
    ];
    let blocks = vec![Block { drawing, table: contributions(&all) }];
    Ok(Some(Panel::new("drivers", "Drivers", lead, blocks)))
}

fn contributions(all: &[Driver]) -> Table {
    let row = |(phrase, weight, times): &Driver| {
        let ink = if *weight < 0.0 { Ink::Negative } else { Ink::Positive };
        let each = odds(weight / (*times).max(1) as f64);
        vec![keyed(ink, phrase.clone()), figure(odds(*weight)), figure(count(*times)), figure(each)]
    };
    Table {
        caption: "Words and phrases by the sum of their contributions".into(),
        head: heads(["Words", "Sum", "Times", "On average"]),
        rows: all.iter().map(row).collect(),
    }
}

/// What the sums of rare phrases may be too low by, when there were more phrases than room.
pub(super) fn missing(tally: &Tally) -> Option<String> {
    let most = tally.towards_negative.missing().max(tally.towards_positive.missing());
    (most > 0.0).then(|| format!("{most:.1}"))
}
