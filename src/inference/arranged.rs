//! Brings a network's columns into the order of the manifest's labels; nobody else knows that they were in another.

use std::sync::Arc;

use super::backend::{Backend, BackendFactory, EncodedBatch, InferenceError, WindowOutput};
use crate::model::Manifest;

/// Backends of another factory, with their columns in the manifest's order.
pub struct Arranged<'f> {
    inner: &'f dyn BackendFactory,
    columns: Option<Arc<[usize]>>,
}

impl<'f> Arranged<'f> {
    /// Leaves the backends of `inner` as they are when the manifest names no other order.
    pub fn new(inner: &'f dyn BackendFactory, manifest: &Manifest) -> Self {
        Self { inner, columns: manifest.columns.as_deref().map(Into::into) }
    }
}

impl BackendFactory for Arranged<'_> {
    fn build(&self) -> Result<Box<dyn Backend>, InferenceError> {
        let inner = self.inner.build()?;
        Ok(match &self.columns {
            Some(columns) => Box::new(ArrangedBackend { inner, columns: Arc::clone(columns) }),
            None => inner,
        })
    }
}

struct ArrangedBackend {
    inner: Box<dyn Backend>,
    columns: Arc<[usize]>,
}

impl Backend for ArrangedBackend {
    fn run(&mut self, batch: &EncodedBatch) -> Result<Vec<WindowOutput>, InferenceError> {
        let mut outputs = self.inner.run(batch)?;
        for output in &mut outputs {
            output.logits = arranged(&output.logits, &self.columns)?;
            output.contributions = arranged(&output.contributions, &self.columns)?;
        }
        Ok(outputs)
    }
}

/// Each row of `values` in the order of `columns`.
fn arranged(values: &[f32], columns: &[usize]) -> Result<Vec<f32>, InferenceError> {
    if !values.len().is_multiple_of(columns.len()) {
        let problem = format!("{} numbers are no rows of {} labels", values.len(), columns.len());
        return Err(InferenceError::Shape(problem));
    }
    let rows = values.chunks_exact(columns.len());
    // The manifest has checked that columns name each place once.
    Ok(rows.flat_map(|row| columns.iter().map(|column| row[*column])).collect())
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeFactory;
    use super::*;
    use crate::model::ModelBundle;
    use crate::model::manifest::Markers;

    #[test]
    fn each_label_gets_the_column_that_the_manifest_names() {
        let mut manifest = ModelBundle::load_embedded().unwrap().manifest;
        let batch = EncodedBatch::new(&[&[7, 8], &[9]], Markers { begin: 101, end: 102, pad: 0 });
        let factory = FakeFactory::new(3, 1);
        let plain = factory.build().unwrap().run(&batch).unwrap();
        manifest.columns = Some(vec![2, 0, 1]);
        let arranged = Arranged::new(&factory, &manifest).build().unwrap().run(&batch).unwrap();
        for (plain, arranged) in plain.iter().zip(&arranged) {
            for (before, after) in
                [(&plain.logits, &arranged.logits), (&plain.contributions, &arranged.contributions)]
            {
                for (before, after) in before.chunks(3).zip(after.chunks(3)) {
                    assert_eq!(after, [before[2], before[0], before[1]]);
                }
            }
            assert_eq!(plain.attention_scores, arranged.attention_scores);
        }
        manifest.columns = None;
        assert_eq!(Arranged::new(&factory, &manifest).build().unwrap().run(&batch).unwrap(), plain);
    }

    #[test]
    fn numbers_that_are_no_whole_rows_are_refused() {
        assert!(matches!(arranged(&[1.0; 4], &[2, 0, 1]), Err(InferenceError::Shape(_))));
    }
}
