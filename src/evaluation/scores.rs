//! Probabilities, guesses and truths of many texts, row by row.

use super::mapping::Group;

/// What the columns are and how they belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Names of the labels or groups.
    pub labels: Vec<String>,
    /// Thresholds behind the guesses; `None` where the likeliest label is the guess, and for groups.
    pub thresholds: Option<Vec<f64>>,
    /// Whether exactly one label is true and one is guessed per row.
    pub exclusive: bool,
    /// Whether a row's probabilities add up to 1.
    pub distribution: bool,
}

/// One text.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'s> {
    /// Per label, in [0, 1].
    pub probabilities: &'s [f64],
    /// Per label, whether it was reported.
    pub guesses: &'s [bool],
    /// Per label, whether it holds.
    pub truths: &'s [bool],
}

/// The texts of a data set as a model scored them.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    columns: Columns,
    probabilities: Vec<f64>,
    guesses: Vec<bool>,
    truths: Vec<bool>,
}

impl Scores {
    /// Without any row.
    pub fn new(columns: Columns) -> Self {
        Self { columns, probabilities: Vec::new(), guesses: Vec::new(), truths: Vec::new() }
    }

    /// Adds a row; the three slices have one entry per label.
    pub fn push(&mut self, probabilities: &[f64], guesses: &[bool], truths: &[bool]) {
        debug_assert!([probabilities.len(), guesses.len(), truths.len()] == [self.columns.labels.len(); 3]);
        self.probabilities.extend_from_slice(probabilities);
        self.guesses.extend_from_slice(guesses);
        self.truths.extend_from_slice(truths);
    }

    /// What the columns are.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.probabilities.len() / self.columns.labels.len().max(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.probabilities.is_empty()
    }

    /// The rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        let width = self.columns.labels.len().max(1);
        let guesses = self.guesses.chunks_exact(width).zip(self.truths.chunks_exact(width));
        self.probabilities
            .chunks_exact(width)
            .zip(guesses)
            .map(|(probabilities, (guesses, truths))| RowView { probabilities, guesses, truths })
    }

    /// Probability and truth of one label, row by row.
    pub fn column(&self, label: usize) -> Vec<(f64, bool)> {
        self.rows().map(|row| (row.probabilities[label], row.truths[label])).collect()
    }

    /// Rows in which a label holds.
    pub fn positives(&self, label: usize) -> usize {
        self.rows().filter(|row| row.truths[label]).count()
    }

    /// The given labels alone, in the given order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let columns = &self.columns;
        let mut selected = Self::new(Columns {
            labels: places.iter().map(|place| columns.labels[*place].clone()).collect(),
            thresholds: columns.thresholds.as_ref().map(|t| places.iter().map(|place| t[*place]).collect()),
            exclusive: columns.exclusive,
            // A part of a distribution is none.
            distribution: columns.distribution && places.len() == columns.labels.len(),
        });
        for row in self.rows() {
            selected.probabilities.extend(places.iter().map(|place| row.probabilities[*place]));
            selected.guesses.extend(places.iter().map(|place| row.guesses[*place]));
            selected.truths.extend(places.iter().map(|place| row.truths[*place]));
        }
        selected
    }

    /// Groups in place of labels: 1 − Π(1 − p), or Σ p of a distribution's classes, which shut each other out; and any
    /// member for guess and truth.
    #[must_use]
    pub fn grouped(&self, groups: &[Group]) -> Self {
        let labels = groups.iter().map(|group| group.name.clone()).collect();
        let mut grouped = Self::new(Columns {
            labels,
            thresholds: None,
            exclusive: self.columns.exclusive,
            distribution: false,
        });
        let any = |values: &[bool], group: &Group| group.members.iter().any(|member| values[*member]);
        for row in self.rows() {
            let probability = |group: &Group| {
                let members = group.members.iter().map(|member| row.probabilities[*member]);
                let p = if self.columns.distribution {
                    members.sum::<f64>()
                } else {
                    1.0 - members.map(|p| 1.0 - p).product::<f64>()
                };
                p.clamp(0.0, 1.0)
            };
            grouped.probabilities.extend(groups.iter().map(probability));
            grouped.guesses.extend(groups.iter().map(|group| any(row.guesses, group)));
            grouped.truths.extend(groups.iter().map(|group| any(row.truths, group)));
        }
        grouped
    }

    /// The likeliest label as the only guess of each row.
    #[must_use]
    pub fn likeliest_only(mut self) -> Self {
        let width = self.columns.labels.len().max(1);
        for (p, guesses) in self.probabilities.chunks_exact(width).zip(self.guesses.chunks_exact_mut(width)) {
            let top = likeliest(p);
            guesses.iter_mut().enumerate().for_each(|(place, guess)| *guess = Some(place) == top);
        }
        self.columns.thresholds = None;
        self.columns.exclusive = true;
        self
    }
}

/// Place of the highest probability, of equal ones the first.
pub fn likeliest(probabilities: &[f64]) -> Option<usize> {
    let places = 0..probabilities.len();
    places.reduce(|best, place| if probabilities[place] > probabilities[best] { place } else { best })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Sigmoid labels a, b, … with a threshold of a half; rows of (probability, truth).
    pub(crate) fn multi_label(rows: &[&[(f64, bool)]]) -> Scores {
        let width = rows.first().map_or(0, |row| row.len());
        let labels = ('a'..).take(width).map(String::from).collect();
        let thresholds = Some(vec![0.5; width]);
        let mut scores = Scores::new(Columns { labels, thresholds, exclusive: false, distribution: false });
        for row in rows {
            let p: Vec<f64> = row.iter().map(|(p, _)| *p).collect();
            let guesses: Vec<bool> = p.iter().map(|p| *p >= 0.5).collect();
            scores.push(&p, &guesses, &row.iter().map(|(_, truth)| *truth).collect::<Vec<_>>());
        }
        scores
    }

    /// A distribution over classes a, b, … ; rows of probabilities and the true class.
    pub(crate) fn classes(rows: &[(&[f64], usize)]) -> Scores {
        let width = rows.first().map_or(0, |(p, _)| p.len());
        let labels = ('a'..).take(width).map(String::from).collect();
        let mut scores =
            Scores::new(Columns { labels, thresholds: None, exclusive: true, distribution: true });
        for (p, truth) in rows {
            let one = |at: usize| (0..width).map(|place| place == at).collect::<Vec<_>>();
            scores.push(p, &one(likeliest(p).unwrap()), &one(*truth));
        }
        scores
    }

    #[test]
    fn a_group_holds_when_any_of_its_members_does() {
        let scores = multi_label(&[&[(0.5, true), (0.4, false), (0.1, false)]]);
        let groups = [
            Group { name: "x".into(), members: vec![0, 1] },
            Group { name: "y".into(), members: vec![1, 2] },
        ];
        let grouped = scores.grouped(&groups);
        let row = grouped.rows().next().unwrap();
        assert!((row.probabilities[0] - 0.7).abs() < 1e-12 && (row.probabilities[1] - 0.46).abs() < 1e-12);
        assert_eq!((row.guesses, row.truths), (&[true, false][..], &[true, false][..]));
        let single = scores.grouped(&groups).likeliest_only();
        assert_eq!(single.rows().next().unwrap().guesses, [true, false]);
    }

    #[test]
    fn classes_that_shut_each_other_out_add_up_in_a_group() {
        let groups =
            [Group { name: "x".into(), members: vec![0, 1] }, Group { name: "y".into(), members: vec![2] }];
        let grouped = classes(&[(&[0.3, 0.3, 0.4], 0)]).grouped(&groups).likeliest_only();
        let row = grouped.rows().next().unwrap();
        assert!((row.probabilities[0] - 0.6).abs() < 1e-12, "{:?}", row.probabilities);
        assert_eq!(row.guesses, [true, false]);
    }

    #[test]
    fn selected_labels_keep_their_values() {
        let scores = multi_label(&[&[(0.9, true), (0.2, false)], &[(0.1, false), (0.7, true)]]);
        let selected = scores.select(&[1]);
        assert_eq!((selected.len(), selected.columns().labels.join("")), (2, "b".into()));
        assert_eq!(selected.column(0), [(0.2, false), (0.7, true)]);
        assert_eq!(scores.positives(0), 1);
    }
}
