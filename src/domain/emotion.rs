//! The published grouping of the 28 GoEmotions labels into Ekman's six emotions and neutral.
//!
//! Source: Demszky et al., "GoEmotions", ACL 2020, `ekman_mapping.json`.

/// The groups, with their labels, in the order in which they are reported.
pub const EKMAN_GROUPS: [(&str, &[&str]); 7] = [
    ("anger", &["anger", "annoyance", "disapproval"]),
    ("disgust", &["disgust"]),
    ("fear", &["fear", "nervousness"]),
    (
        "joy",
        &[
            "joy",
            "amusement",
            "approval",
            "excitement",
            "gratitude",
            "love",
            "optimism",
            "relief",
            "pride",
            "admiration",
            "desire",
            "caring",
        ],
    ),
    ("sadness", &["sadness", "disappointment", "embarrassment", "grief", "remorse"]),
    ("surprise", &["surprise", "realization", "confusion", "curiosity"]),
    ("neutral", &["neutral"]),
];

/// The group of an emotion label, or `None` for a label outside the taxonomy.
pub fn ekman_group(label: &str) -> Option<&'static str> {
    EKMAN_GROUPS.iter().find(|(_, labels)| labels.contains(&label)).map(|(group, _)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_share_the_28_labels_out_without_overlap() {
        let mut all: Vec<&str> = EKMAN_GROUPS.iter().flat_map(|(_, labels)| labels.iter().copied()).collect();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!((all.len(), before), (28, 28));
        assert_eq!(ekman_group("remorse"), Some("sadness"));
        assert_eq!(ekman_group("schadenfreude"), None);
    }
}
