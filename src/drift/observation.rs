//! What drift sees of one text: numbers that fit into registers, and nothing of what was written.

/// Heads of a model that are watched; more would make every text's observation larger for models that nobody has.
pub const HEADS: usize = 8;
/// Bins of a head's score.
pub const SCORE_BINS: u8 = 10;
/// Bit of the labels that have no bit of their own.
pub(super) const OTHER: u8 = 62;
/// Bit that says that no label was reported.
pub(super) const NONE: u8 = 63;

/// Whether a text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was.
    Read,
    /// There was nothing to read.
    Empty,
    /// Its language is none of the model's.
    UnsupportedLanguage,
}

/// What the identification of the language said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// One that the model was trained for.
    OfModel,
    /// Another one.
    Other,
    /// The text says too little.
    Unidentified,
}

/// One text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Whether it was read.
    pub fate: Fate,
    /// `None` where the caller named the language: what a caller names says nothing of what would have been identified.
    pub language: Option<Language>,
    /// Its tokens.
    pub tokens: u32,
    /// Those that the vocabulary does not have.
    pub unknown: u32,
    /// Its words: tokens with no gap between them make one.
    pub words: u32,
    /// What the heads said.
    pub said: Said,
}

impl Observation {
    /// A text with nothing to read.
    pub fn empty() -> Self {
        Self { fate: Fate::Empty, ..Self::read(None, 0, 0, 0, Said::default()) }
    }

    /// A text in a language that the model does not read.
    pub fn unsupported(language: Option<Language>) -> Self {
        Self { fate: Fate::UnsupportedLanguage, ..Self::read(language, 0, 0, 0, Said::default()) }
    }

    /// A text that was read.
    pub fn read(language: Option<Language>, tokens: u32, unknown: u32, words: u32, said: Said) -> Self {
        Self { fate: Fate::Read, language, tokens, unknown, words, said }
    }
}

/// What the heads said of a text, in their order; `None` for those that were not asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    pub(super) heads: [Option<HeadSaid>; HEADS],
}

impl Said {
    /// Notes what the head at `place` said; places from [`HEADS`] on are not watched.
    pub fn note(&mut self, place: usize, said: HeadSaid) {
        if let Some(head) = self.heads.get_mut(place) {
            *head = Some(said);
        }
    }
}

/// What one head said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSaid {
    /// A bit per reported label; see `OTHER` and `NONE`.
    pub(super) labels: u64,
    /// How many were reported.
    pub(super) reported: u16,
    /// The bin of its score.
    pub(super) score: u8,
}

impl HeadSaid {
    /// The labels that the head reported, by their place in it, and its score in [0, 1].
    pub fn new(reported: impl Iterator<Item = usize>, score: f64) -> Self {
        let (mut labels, mut count) = (0u64, 0u16);
        for place in reported {
            labels |= 1 << place.min(usize::from(OTHER));
            count = count.saturating_add(1);
        }
        if count == 0 {
            labels = 1 << NONE;
        }
        // A float that is no number becomes 0.
        let score = (score * f64::from(SCORE_BINS)) as u8;
        Self { labels, reported: count, score: score.min(SCORE_BINS - 1) }
    }
}
