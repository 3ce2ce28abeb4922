//! What every backend must do, whatever computes: one suite, that each of them passes. Included by the test binaries that have a
//! backend: the deterministic one in `integration`, ONNX Runtime in `live`, rust-bert in `rust_bert`.

use attune::inference::{Backend, BackendFactory, EncodedBatch, WindowOutput};
use attune::model::Manifest;

/// A backend under test.
pub(crate) struct Subject<'a> {
    pub(crate) factory: &'a dyn BackendFactory,
    pub(crate) manifest: &'a Manifest,
    /// Token ids to make rows of.
    pub(crate) ids: std::ops::Range<u32>,
    /// Whether each token has its terms, or the network gives logits alone.
    pub(crate) terms: bool,
    /// How far a number may move with the company a row is in: arithmetic in float32, or rounding to int8 by batch.
    pub(crate) tolerance: f32,
}

/// The whole suite.
pub(crate) fn conforms(subject: &Subject<'_>) {
    let mut run = Run { backend: subject.factory.build().unwrap(), subject };
    run.an_output_has_the_sizes_that_the_manifest_says();
    run.rows_come_back_in_their_order();
    run.a_row_reads_the_same_alone_and_in_company();
    run.padding_changes_nothing();
    run.the_shortest_and_the_longest_window_can_be_read();
    run.terms_add_up_to_the_logits_with_one_bias();
    run.a_second_backend_of_the_factory_says_the_same();
}

/// The largest difference between two rows' numbers.
pub(crate) fn distance(a: &WindowOutput, b: &WindowOutput) -> f32 {
    assert_eq!((a.logits.len(), a.contributions.len()), (b.logits.len(), b.contributions.len()));
    let pairs = a.logits.iter().zip(&b.logits).chain(a.contributions.iter().zip(&b.contributions));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

struct Run<'a> {
    subject: &'a Subject<'a>,
    backend: Box<dyn Backend>,
}

impl Run<'_> {
    fn of(&mut self, rows: &[Vec<u32>]) -> Vec<WindowOutput> {
        let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        self.backend.run(&EncodedBatch::new(&rows, self.subject.manifest.markers)).unwrap()
    }

    /// A row of so many tokens; other seeds give other ones.
    fn row(&self, length: usize, seed: u32) -> Vec<u32> {
        let ids = &self.subject.ids;
        let step = |n: usize| (n as u32).wrapping_mul(7).wrapping_add(seed.wrapping_mul(31));
        (0..length).map(|n| ids.start + step(n) % (ids.end - ids.start)).collect()
    }

    fn rows(&self) -> Vec<Vec<u32>> {
        [3, 9, 1, 14, 5].into_iter().zip(0..).map(|(length, seed)| self.row(length, seed)).collect()
    }

    fn close(&self, a: &WindowOutput, b: &WindowOutput, what: &str) {
        let distance = distance(a, b);
        assert!(distance <= self.subject.tolerance, "{what}: {distance}");
    }

    fn an_output_has_the_sizes_that_the_manifest_says(&mut self) {
        let rows = self.rows();
        let (labels, heads) = (self.subject.manifest.label_count(), self.subject.manifest.heads.len());
        for (row, output) in rows.iter().zip(self.of(&rows)) {
            let tokens = if self.subject.terms { row.len() } else { 0 };
            assert_eq!((output.tokens, output.logits.len()), (row.len(), labels));
            assert_eq!(output.contributions.len(), tokens * labels);
            assert_eq!(output.attention_scores.len(), tokens * heads);
            let all = output.logits.iter().chain(&output.contributions).chain(&output.attention_scores);
            assert!(all.into_iter().all(|number| number.is_finite()));
        }
    }

    fn rows_come_back_in_their_order(&mut self) {
        let mut rows = self.rows();
        let forward = self.of(&rows);
        rows.reverse();
        let mut backward = self.of(&rows);
        backward.reverse();
        for (a, b) in forward.iter().zip(&backward) {
            self.close(a, b, "turned round");
        }
        let apart = distance_of_logits(&forward[0], &forward[1]);
        assert!(apart > 1e-3, "rows of other tokens read the same: {apart}");
    }

    fn a_row_reads_the_same_alone_and_in_company(&mut self) {
        let rows = self.rows();
        let together = self.of(&rows);
        for (row, company) in rows.iter().zip(&together) {
            let alone = &self.of(std::slice::from_ref(row))[0];
            self.close(alone, company, "alone");
        }
    }

    fn padding_changes_nothing(&mut self) {
        let row = self.row(4, 1);
        let alone = self.of(std::slice::from_ref(&row));
        for length in [5, 16, self.subject.manifest.window_tokens()] {
            let padded = self.of(&[row.clone(), self.row(length, 2)]);
            self.close(&alone[0], &padded[0], &format!("padded to {length}"));
        }
    }

    fn the_shortest_and_the_longest_window_can_be_read(&mut self) {
        for length in [1, self.subject.manifest.window_tokens()] {
            let rows = [self.row(length, 3), self.row(length, 4)];
            let outputs = self.of(&rows);
            assert!(outputs.iter().all(|o| o.tokens == length && o.logits.iter().all(|z| z.is_finite())));
        }
    }

    fn terms_add_up_to_the_logits_with_one_bias(&mut self) {
        if !self.subject.terms {
            return;
        }
        let labels = self.subject.manifest.label_count();
        let rows = self.rows();
        let biases: Vec<Vec<f32>> = self
            .of(&rows)
            .iter()
            .map(|output| {
                let sum = |label: usize| output.contributions.iter().skip(label).step_by(labels).sum::<f32>();
                output.logits.iter().enumerate().map(|(label, logit)| logit - sum(label)).collect()
            })
            .collect();
        for bias in &biases {
            let off = bias.iter().zip(&biases[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off <= 1e-4, "the bias of one row is {off} from another's");
        }
    }

    fn a_second_backend_of_the_factory_says_the_same(&mut self) {
        let rows = self.rows();
        let here = self.of(&rows);
        let mut second = Run { backend: self.subject.factory.build().unwrap(), subject: self.subject };
        let there = std::thread::scope(|scope| scope.spawn(|| second.of(&rows)).join()).unwrap();
        for (a, b) in here.iter().zip(&there) {
            self.close(a, b, "another worker");
        }
    }
}

fn distance_of_logits(a: &WindowOutput, b: &WindowOutput) -> f32 {
    a.logits.iter().zip(&b.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
