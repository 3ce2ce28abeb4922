//! The port to a network: a batch of windows in, per-token terms out.

use crate::error::{Error, ErrorKind};
use crate::model::manifest::Markers;

/// Runs batches; owned by one worker thread, never shared.
pub trait Backend: Send {
    /// One output per row of the batch, in its order.
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError>;
}

/// Builds backends, one for each worker.
pub trait BackendFactory: Send + Sync {
    /// Loads the network. Slow: called at start, not per request.
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError>;
}

/// Why a network can't be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The ONNX Runtime library is missing or wrong.
    #[error("{0}")]
    Library(String),
    /// The graph can't be loaded.
    #[error("can't load the graph: {0}")]
    Load(String),
    /// The graph's inputs or outputs are not what the manifest says.
    #[error("the graph does not fit the manifest: {0}")]
    Shape(String),
    /// A run failed.
    #[error("inference failed: {0}")]
    Run(String),
    /// The tokenizer file can't be used.
    #[error("can't load the tokenizer: {0}")]
    Tokenizer(String),
}

impl From<InferenceError> for Error {
    fn from(error: InferenceError) -> Self {
        match error {
            InferenceError::Library(_)
            | InferenceError::Load(_)
            | InferenceError::Shape(_)
            | InferenceError::Tokenizer(_) => Self::new(ErrorKind::Precondition, error.to_string()),
            InferenceError::Run(_) => Self::internal(error),
        }
    }
}

/// Token ids and mask of a batch, padded to its longest row; markers around each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedBatch {
    /// Row-major `[rows, columns]`.
    pub input_ids: Vec<i64>,
    /// 1 for tokens and markers, 0 for padding; same shape.
    pub attention_mask: Vec<i64>,
    /// Tokens of text in each row, without markers.
    pub lengths: Vec<usize>,
    /// Padded length, markers included.
    pub columns: usize,
}

impl EncodedBatch {
    /// Assembles rows of token ids without markers. At least one row.
    pub fn new(rows: &[&[u32]], markers: Markers) -> Self {
        let columns = rows.iter().map(|r| r.len()).max().unwrap_or(0) + 2;
        let mut input_ids = vec![i64::from(markers.pad); rows.len() * columns];
        let mut attention_mask = vec![0; rows.len() * columns];
        for ((row, ids), mask) in
            rows.iter().zip(input_ids.chunks_mut(columns)).zip(attention_mask.chunks_mut(columns))
        {
            ids[0] = i64::from(markers.begin);
            for (slot, id) in ids[1..].iter_mut().zip(*row) {
                *slot = i64::from(*id);
            }
            ids[row.len() + 1] = i64::from(markers.end);
            mask[..row.len() + 2].fill(1);
        }
        Self { input_ids, attention_mask, lengths: rows.iter().map(|r| r.len()).collect(), columns }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// What stands at the tokens of text of a row, out of row-major `[rows, columns, width]`.
    pub(super) fn of_text(&self, row: usize, values: &[f32], width: usize) -> Vec<f32> {
        // The first column is the begin marker.
        let start = (row * self.columns + 1) * width;
        values[start..start + self.lengths[row] * width].to_vec()
    }

    /// Padded size in tokens: what the network has to work through.
    pub fn padded_tokens(&self) -> usize {
        self.rows() * self.columns
    }
}

/// What the network says of one window; rows are tokens of text, without markers and padding. A network that only has
/// logits leaves `contributions` and `attention_scores` empty.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowOutput {
    /// `[labels]`.
    pub logits: Vec<f32>,
    /// Row-major `[tokens, labels]`; adds up over tokens to `logits` − bias.
    pub contributions: Vec<f32>,
    /// Row-major `[tokens, heads]`: scores whose softmax over the tokens is the pooling weight; zeros for a plain mean.
    pub attention_scores: Vec<f32>,
    /// Tokens of text.
    pub tokens: usize,
}

impl WindowOutput {
    /// Size in memory, in bytes, for caches.
    pub fn bytes(&self) -> usize {
        std::mem::size_of::<Self>()
            + 4 * (self.logits.len() + self.contributions.len() + self.attention_scores.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARKERS: Markers = Markers { begin: 101, end: 102, pad: 0 };

    #[test]
    fn rows_are_framed_by_markers_and_padded_to_the_longest() {
        let batch = EncodedBatch::new(&[&[7, 8], &[9]], MARKERS);
        assert_eq!(batch.input_ids, [101, 7, 8, 102, 101, 9, 102, 0]);
        assert_eq!(batch.attention_mask, [1, 1, 1, 1, 1, 1, 1, 0]);
        assert_eq!((batch.rows(), batch.columns, batch.padded_tokens()), (2, 4, 8));
    }

    proptest! {
        #[test]
        fn each_row_can_be_read_back(rows in prop::collection::vec(prop::collection::vec(1u32..500, 0..20), 1..6)) {
            let slices: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
            let batch = EncodedBatch::new(&slices, MARKERS);
            for (i, row) in rows.iter().enumerate() {
                let start = i * batch.columns;
                let ids = &batch.input_ids[start + 1..start + 1 + batch.lengths[i]];
                prop_assert!(ids.iter().map(|id| *id as u32).eq(row.iter().copied()));
                let ones: i64 = batch.attention_mask[start..start + batch.columns].iter().sum();
                prop_assert_eq!(ones as usize, row.len() + 2);
            }
        }
    }
}
