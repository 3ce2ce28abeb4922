//! The summary, the sentiment of all comments, and the scores beside it.

use super::charts::{Row, shares, stacks};
use super::drawing::Ink;
use super::figures::{Estimate, net, share};
use super::format::{count, many, percent, percent_range, points, signed, signed_range};
use super::page::{Block, Card, Cell, Panel, Table, figure, heads, keyed, words};
use super::score::{Scale, Scores};
use super::split::{CLASSES, Split};
use super::tally::Tally;
use crate::domain::SentimentLabel;
use crate::error::Error;

/// The colour of a class.
pub(super) fn ink(class: SentimentLabel) -> Ink {
    match class {
        SentimentLabel::Negative => Ink::Negative,
        SentimentLabel::Mixed => Ink::Mixed,
        SentimentLabel::Neutral => Ink::Neutral,
        SentimentLabel::Positive => Ink::Positive,
    }
}

/// Colours of low, middle and high scores.
const BANDS: [Ink; 3] = [Ink::Negative, Ink::Neutral, Ink::Positive];

/// The figures at the top.
pub(super) fn cards(tally: &Tally) -> Vec<Card> {
    let coverage = &tally.coverage;
    let scored = many(coverage.rows, "row");
    let mut cards =
        vec![Card { name: "Comments scored", figure: count(coverage.scored), more: format!("of {scored}") }];
    let within = |range: String| format!("95\u{a0}%: {range}");
    cards.extend(tally.all.mean().map(|mean| Card {
        name: "Mean sentiment",
        figure: signed(mean.value),
        more: within(signed_range(&mean)),
    }));
    cards.extend(tally.all.negative().map(|negative| Card {
        name: "Negative",
        figure: percent(negative.value),
        more: within(percent_range(&negative)),
    }));
    cards.extend(tally.scores.as_ref().and_then(scale_card));
    cards.extend(share(tally.cues.escalating, coverage.scored).map(|escalating| Card {
        name: "Escalation cues",
        figure: count(tally.cues.escalating),
        more: format!("{} of comments", percent(escalating.value)),
    }));
    cards
}

fn scale_card(scores: &Scores) -> Option<Card> {
    let rows = scores.bands.iter().sum();
    match scores.scale {
        Scale::Nps => net(&scores.bands).map(|net| Card {
            name: "NPS",
            figure: points(net.value),
            more: format!("95\u{a0}%: {} to {}", points(net.low), points(net.high)),
        }),
        Scale::Csat(_) => share(scores.bands[2], rows).map(|satisfied| Card {
            name: "Satisfied",
            figure: percent(satisfied.value),
            more: format!("95\u{a0}%: {}", percent_range(&satisfied)),
        }),
    }
}

/// How the comments are split; `None` without any.
pub(super) fn sentiment(tally: &Tally) -> Result<Option<Panel>, Error> {
    let Some(mean) = tally.all.mean() else { return Ok(None) };
    let lead = format!(
        "{} have a sentiment. Their mean score, P(positive) − P(negative), is {} (95\u{a0}%: {}) on a scale from −1 to +1.",
        many(tally.all.count(), "comment"),
        signed(mean.value),
        signed_range(&mean)
    );
    let shares_of = tally.all.shares();
    let classes = || CLASSES.iter().zip(&shares_of).zip(tally.all.counts());
    let rows: Vec<Row<(Ink, Estimate)>> = classes()
        .map(|((class, share), _)| Row {
            label: class.name().to_owned(),
            figure: percent(share.value),
            drawn: (ink(*class), *share),
        })
        .collect();
    let table = Table {
        caption: "Comments by sentiment".into(),
        head: heads(["Sentiment", "Comments", "Share", "95\u{a0}% interval"]),
        rows: classes()
            .map(|((class, share), n)| counted(keyed(ink(*class), class.name()), n, share))
            .collect(),
    };
    let blocks = vec![Block { drawing: Some(shares(&rows)?), table }];
    Ok(Some(Panel::new("sentiment", "Sentiment", vec![lead], blocks)))
}

/// A name, a count, its share and the share's interval.
pub(super) fn counted(name: Cell, n: u64, share: &Estimate) -> Vec<Cell> {
    vec![name, figure(count(n)), figure(percent(share.value)), figure(percent_range(share))]
}

/// Scores against what the comments say; `None` without scores.
pub(super) fn score(tally: &Tally) -> Result<Option<Panel>, Error> {
    let Some(scores) = tally.scores.as_ref().filter(|scores| scores.bands.iter().any(|n| *n > 0)) else {
        return Ok(None);
    };
    let title = match scores.scale {
        Scale::Nps => "NPS and what the comments say",
        Scale::Csat(_) => "Satisfaction and what the comments say",
    };
    let blocks = vec![bands(scores)?, crossed(scores)?];
    Ok(Some(Panel::new("score", title, vec![score_lead(scores)], blocks)))
}

fn score_lead(scores: &Scores) -> String {
    let rows = scores.bands.iter().sum();
    let gaps = format!(
        "{} without a score, {} with one that could not be read.",
        many(scores.missing, "row"),
        count(scores.unreadable)
    );
    match (scores.scale, net(&scores.bands)) {
        (Scale::Nps, Some(net)) => format!(
            "NPS {} (95\u{a0}%: {} to {}) from {}; {gaps}",
            points(net.value),
            points(net.low),
            points(net.high),
            many(rows, "row")
        ),
        _ => format!("Scores of {}; {gaps}", many(rows, "row")),
    }
}

fn bands(scores: &Scores) -> Result<Block, Error> {
    let all: u64 = scores.bands.iter().sum();
    let named = || scores.scale.names().into_iter().zip(scores.scale.ranges()).zip(BANDS).zip(scores.bands);
    let parts = BANDS.into_iter().zip(scores.bands).collect();
    let rows = [Row { label: "all with a score".into(), figure: many(all, "row"), drawn: parts }];
    let table = Table {
        caption: "Rows by score".into(),
        head: heads(["Scores", "Rows", "Share", "95\u{a0}% interval"]),
        rows: named()
            .filter_map(|(((name, range), ink), n)| {
                Some(counted(keyed(ink, format!("{name} ({range})")), n, &share(n, all)?))
            })
            .collect(),
    };
    Ok(Block { drawing: Some(stacks(&rows)?), table })
}

/// The comments' sentiment per band.
fn crossed(scores: &Scores) -> Result<Block, Error> {
    let named = || scores.scale.names().into_iter().zip(&scores.comments);
    let rows: Vec<Row<Vec<(Ink, u64)>>> = named()
        .map(|(name, split)| Row {
            label: name.into(),
            figure: many(split.count(), "comment"),
            drawn: parts(split),
        })
        .collect();
    let table = Table {
        caption: "Sentiment of the comments by score".into(),
        head: classed(),
        rows: named().map(|(name, split)| sentiments(words(name), split)).collect(),
    };
    Ok(Block { drawing: Some(stacks(&rows)?), table })
}

/// Names of columns of which those of the classes bear the chart's colours.
fn classed() -> Vec<Cell> {
    let classes = CLASSES.iter().zip(["Negative", "Mixed", "Neutral", "Positive"]);
    let classes = classes.map(|(class, name)| keyed(ink(*class), name));
    std::iter::once(words("Scores")).chain(classes).chain([words("Mean")]).collect()
}

/// Comments of each class with its colour.
fn parts(split: &Split) -> Vec<(Ink, u64)> {
    CLASSES.iter().map(|class| ink(*class)).zip(split.counts()).collect()
}

fn sentiments(name: Cell, split: &Split) -> Vec<Cell> {
    let shares = split.shares();
    let share = |at: usize| figure(shares.get(at).map_or_else(|| "–".into(), |share| percent(share.value)));
    let mean = figure(split.mean().map_or_else(|| "–".into(), |mean| signed(mean.value)));
    std::iter::once(name).chain((0..CLASSES.len()).map(share)).chain([mean]).collect()
}
