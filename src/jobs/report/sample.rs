//! Invented rows for tests: five hundred answers to a shop's survey, the same ones every time.

use super::{Facts, Options, Tally};
use crate::domain::{
    Assessment, ClassEvidence, Evidence, EvidenceSpan, LabelAssessment, Probability, Sentiment,
    SentimentLabel, Spans, Status,
};
use crate::jobs::{BadRow, Column, Layout, Row, ScoreKind, Scored, ScoredRow};

/// What a comment says: its text, P(negative) and P(positive) in percent, emotion, cue, and words with what they add to
/// the likelier of both classes in tenths; a word behind `!` speaks for the cue.
type Said = (&'static str, u32, u32, &'static str, &'static str, &'static [(&'static str, i32)]);

const SAID: &[Said] = &[
    (
        "Delivery was quick and the staff were lovely, thank you!",
        2,
        95,
        "gratitude",
        "",
        &[("quick", 12), ("lovely", 21), ("thank you", 14)],
    ),
    ("Works as it should. Nothing else to say.", 10, 35, "neutral", "", &[]),
    (
        "I've written three times now and nobody answers. Still broken.",
        91,
        2,
        "annoyance",
        "repeat_contact",
        &[("nobody answers", 19), ("Still broken", 17), ("!three times", 22)],
    ),
    (
        "If this is not refunded by Friday my lawyer will be in touch.",
        84,
        2,
        "anger",
        "legal_threat",
        &[("not refunded", 12), ("!my lawyer", 38)],
    ),
    (
        "Call me on 020 7946 0958 or mail jane.doe@example.com, I want a manager.",
        71,
        4,
        "annoyance",
        "supervisor_request",
        &[("I want a manager", 9), ("!manager", 31), ("020 7946 0958", 3)],
    ),
    (
        "The battery got so hot that it burnt my hand.",
        88,
        1,
        "fear",
        "safety_risk",
        &[("burnt my hand", 20), ("so hot", 8), ("!burnt my hand", 41)],
    ),
    (
        "Lovely product, but the app crashes every single morning",
        48,
        44,
        "disappointment",
        "unresolved_issue",
        &[("crashes", 16), ("Lovely", -13), ("!every single morning", 12)],
    ),
    (
        "I'm cancelling. <script>alert('hi')</script> Your site shows this & more.",
        80,
        3,
        "disappointment",
        "churn_intent",
        &[("cancelling", 18), ("!I'm cancelling", 33), ("<script>", 4)],
    ),
    (
        "You charged my card 4111 1111 1111 1111 twice",
        86,
        1,
        "anger",
        "payment_dispute",
        &[("charged", 9), ("twice", 13), ("!charged my card 4111 1111 1111 1111 twice", 29)],
    ),
    (
        "Best purchase this year, I tell all my friends 🎉",
        1,
        97,
        "joy",
        "advocacy",
        &[("Best purchase", 25), ("!tell all my friends", 30)],
    ),
    ("It's fine, could be cheaper", 25, 38, "neutral", "", &[("fine", 6), ("cheaper", -7)]),
    ("Where do I find the invoice for last month?", 8, 6, "curiosity", "", &[]),
    (
        "Set-up took two evenings, the manual is no help.",
        77,
        4,
        "annoyance",
        "onboarding_difficulty",
        &[("no help", 16), ("two evenings", 9), ("!Set-up", 17)],
    ),
    (
        "Sorted now, thanks to Priya. You can close this.",
        4,
        88,
        "relief",
        "resolution_confirmed",
        &[("Sorted", 15), ("thanks", 13), ("!You can close this", 28)],
    ),
];
const REGIONS: [&str; 6] = ["North", "South", "Île-de-France & Centre", "West <b>", "", "Nordics"];

/// Steele, Lea and Flood's SplitMix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

pub(super) fn probability(percent: u32) -> Probability {
    Probability::try_new(f64::from(percent) / 100.0).unwrap()
}

fn evidence(text: &str, words: &[(&str, i32)], of_cue: bool) -> Evidence {
    let span = |(word, tenths): &(&str, i32)| {
        let word = word
            .strip_prefix('!')
            .filter(|_| of_cue)
            .or(Some(*word).filter(|w| !of_cue && !w.starts_with('!')))?;
        let start = text.find(word)?;
        let span = Spans::new(text).of(start..start + word.len());
        let core = (span.byte_start, span.byte_end);
        Some(EvidenceSpan { span, core, contribution: f64::from(*tenths) / 10.0 })
    };
    let marked = words.iter().filter(|(word, _)| word.starts_with('!') == of_cue);
    let spans: Vec<EvidenceSpan> = marked.filter_map(span).collect();
    let total: f64 = spans.iter().map(|span| span.contribution).sum();
    Evidence { logit: total - 1.0, bias: -1.0, spans, remainder: 0.0 }
}

fn label(name: &str, percent: u32, evidence: Option<Evidence>) -> LabelAssessment {
    let threshold = probability(50);
    LabelAssessment {
        label: name.into(),
        probability: probability(percent),
        threshold,
        predicted: percent >= 50,
        evidence,
    }
}

/// An assessment without anything in it.
pub(super) fn blank(status: Status) -> Assessment {
    Assessment {
        status,
        language: Some("en".into()),
        language_confidence: 0.9,
        coverage: 1.0,
        token_count: 9,
        window_count: 1,
        evidence: None,
        sentiment: None,
        emotions: Vec::new(),
        emotion_groups: Vec::new(),
        cues: Vec::new(),
        other_heads: Vec::new(),
        sentences: Vec::new(),
        model_id: "attune-en-small".into(),
        model_version: "1.0.0".into(),
    }
}

/// An assessment of a text with these probabilities in percent.
pub(super) fn assessment(text: &str, said: &Said, shift: u32) -> Assessment {
    let (_, negative, positive, emotion, cue, words) = said;
    let (negative, positive) = (negative.saturating_sub(shift), positive.saturating_sub(shift));
    let mut sentiment =
        Sentiment::new(probability(negative), probability(100 - negative - positive), probability(positive));
    if negative.abs_diff(positive) < 10 && negative > 30 {
        sentiment.label = SentimentLabel::Mixed;
    }
    let class = if negative >= positive { SentimentLabel::Negative } else { SentimentLabel::Positive };
    sentiment.evidence = vec![ClassEvidence { class, evidence: evidence(text, words, false) }];
    let cues = if cue.is_empty() {
        Vec::new()
    } else {
        vec![label(cue, 88 - shift, Some(evidence(text, words, true)))]
    };
    Assessment {
        sentiment: Some(sentiment),
        emotions: vec![label(emotion, 81, None), label("neutral", 12, None)],
        cues,
        ..blank(Status::Ok)
    }
}

pub(super) fn columns() -> Vec<Column> {
    let column = |name: &str, question: Option<&str>| Column {
        name: name.into(),
        question: question.map(str::to_owned),
    };
    vec![
        column("id", None),
        column("date", None),
        column("region", None),
        column("nps", None),
        column("Q1", Some("What went well?")),
        column("Q2", Some("What should we do better?")),
    ]
}

pub(super) fn layout() -> Layout {
    Layout {
        source: "table".into(),
        text: vec![4, 5],
        id: Some(0),
        score: Some((3, ScoreKind::Nps)),
        language: None,
        time: Some(1),
        notes: vec!["Text: the columns Q1 and Q2, since their cells are long.".into()],
    }
}

fn outcome(number: u64, text: &str, said: &Said, draw: &mut Draw) -> Result<Assessment, String> {
    match number % 83 {
        _ if text.is_empty() => Ok(blank(Status::Empty)),
        7 => Ok(Assessment { language: Some("fi".into()), ..blank(Status::UnsupportedLanguage) }),
        11 => Err("longer than limits.text_bytes".into()),
        13 => Ok(Assessment { coverage: 0.8, window_count: 3, ..assessment(text, said, 0) }),
        _ => Ok(assessment(text, said, draw.below(4) as u32)),
    }
}

/// The five hundred rows.
pub(super) fn rows() -> Vec<ScoredRow> {
    let mut draw = Draw(7);
    (1..=500).map(|number| row(number, &mut draw)).collect()
}

fn row(number: u64, draw: &mut Draw) -> ScoredRow {
    let said = &SAID[draw.below(SAID.len() as u64) as usize];
    let second = &SAID[draw.below(SAID.len() as u64) as usize];
    let text = if number.is_multiple_of(29) { format!("{} ", said.0).repeat(40) } else { said.0.to_owned() };
    let other = if draw.below(3) > 0 { String::new() } else { second.0.to_owned() };
    let score = match (draw.below(20), said.2) {
        (0, _) => String::new(),
        (1, _) => "n/a".into(),
        (n, positive) if positive > 50 => (6 + n % 5).to_string(),
        (n, _) => (n % 10).to_string(),
    };
    let date = super::dates::date(19_700 + draw.below(150) as i32).to_string();
    let cells = vec![
        format!("R-{number:04}"),
        if number.is_multiple_of(41) { "soon".into() } else { date },
        REGIONS[draw.below(REGIONS.len() as u64) as usize].into(),
        score,
        text,
        other,
    ];
    let texts = [(4, said), (5, second)]
        .into_iter()
        .map(|(column, said)| Scored { column, outcome: outcome(number, &cells[column], said, draw) })
        .collect();
    ScoredRow { row: Row { number, place: number + 1, cells }, texts }
}

pub(super) fn facts() -> Facts {
    Facts {
        title: "Customer survey, first half of 2024".into(),
        source: "survey-2024.csv".into(),
        model: String::new(),
        created: "2024-07-01 09:00 UTC".into(),
        rows: Some(502),
        notes: layout().notes,
    }
}

/// A tally by region of these rows, with two that could not be read.
pub(super) fn tally(redact: bool, rows: &[ScoredRow]) -> Tally {
    let mut tally = Tally::new(Options { by: Some(2), redact }, &columns(), &layout());
    rows.iter().for_each(|row| tally.push(row));
    for number in [501, 502] {
        tally.bad(&BadRow {
            number,
            place: number + 1,
            reason: "has 4 cells instead of 6".into(),
            ends: false,
        });
    }
    tally
}
