//! What was made for a model, such as options that were checked against it, for as long as it answers.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::error::Error;
use crate::pipeline::Analyzer;

/// Makes a value once per model. It does not hold on to the model: whoever waits on an idle stream must not keep a model in
/// memory that was unloaded long ago.
pub struct PerModel<T> {
    made: Mutex<Option<(Weak<Analyzer>, Arc<T>)>>,
}

impl<T> Default for PerModel<T> {
    fn default() -> Self {
        Self { made: Mutex::default() }
    }
}

impl<T> PerModel<T> {
    /// The value for `analyzer`: the one that is there, or a new one when another model was asked for before. Errors: those
    /// of `make`.
    pub fn get(
        &self,
        analyzer: &Arc<Analyzer>,
        make: impl FnOnce(&Arc<Analyzer>) -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        let mut made = self.made.lock();
        // A weak pointer keeps the address taken, so that equal addresses are one model.
        if let Some((of, value)) = &*made
            && Weak::as_ptr(of) == Arc::as_ptr(analyzer)
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(make(analyzer)?);
        *made = Some((Arc::downgrade(analyzer), Arc::clone(&value)));
        Ok(value)
    }
}
