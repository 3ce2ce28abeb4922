//! What an import leaves out on purpose: counted by reason, so that nothing goes missing silently.

/// Why something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// A note among the staff, which the customer never saw.
    Private,
    /// Something that happened and that nobody said: joined, assigned, closed.
    Event,
    /// A turn without any text.
    Empty,
    /// A message that has no plain text, such as an attachment.
    NotText,
    /// A turn from which an earlier mail was cut.
    Quoted,
    /// A turn from which a signature was cut.
    Signature,
    /// A turn from which a ticket system's line or a disclaimer was cut.
    Boilerplate,
    /// Lines that belong to no cue.
    Stray,
    /// A conversation of which no turn is left.
    NoTurns,
}

impl Skip {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Private,
        Self::Event,
        Self::Empty,
        Self::NotText,
        Self::Quoted,
        Self::Signature,
        Self::Boilerplate,
        Self::Stray,
        Self::NoTurns,
    ];

    /// What a report calls it; after a count.
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private notes left out",
            Self::Event => "events left out",
            Self::Empty => "turns without text left out",
            Self::NotText => "messages without plain text left out",
            Self::Quoted => "turns shortened by quoted text",
            Self::Signature => "turns shortened by a signature",
            Self::Boilerplate => "turns shortened by ticket lines or disclaimers",
            Self::Stray => "blocks outside cues left out",
            Self::NoTurns => "conversations without turns left out",
        }
    }
}

/// How many things were left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    counts: [u64; Skip::ALL.len()],
}

impl Skipped {
    /// Counts one.
    pub fn note(&mut self, reason: Skip) {
        self.counts[reason as usize] += 1;
    }

    /// Adds what another import left out.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    /// How many, for one reason.
    pub fn of(&self, reason: Skip) -> u64 {
        self.counts[reason as usize]
    }

    /// Reasons that occurred, with their counts, in the order of [`Skip::ALL`].
    pub fn counts(&self) -> impl Iterator<Item = (Skip, u64)> {
        Skip::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// One line per reason that occurred, for people.
    pub fn lines(&self) -> Vec<String> {
        self.counts().map(|(reason, count)| format!("{count} {}", reason.name())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_by_reason_and_added_up() {
        let mut one = Skipped::default();
        one.note(Skip::Private);
        let mut two = one;
        two.note(Skip::NoTurns);
        two.add(&one);
        assert_eq!(two.lines(), ["2 private notes left out", "1 conversations without turns left out"]);
        assert_eq!((two.of(Skip::Private), two.of(Skip::Event)), (2, 0));
        for (at, reason) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(at, reason as usize, "{reason:?}");
        }
    }
}
