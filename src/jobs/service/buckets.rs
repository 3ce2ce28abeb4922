//! The seam to object storage: a bucket's name in, a store out. Tests bring stores in memory.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::error::{Error, ErrorKind};

/// Who can open buckets.
pub trait Buckets: Send + Sync {
    /// The store of a bucket. Errors: `Precondition` for settings that don't suffice.
    fn open(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Error>;
}

/// There is no object storage.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBuckets;

impl Buckets for NoBuckets {
    fn open(&self, _: &str) -> Result<Arc<dyn ObjectStore>, Error> {
        Err(Error::new(ErrorKind::Precondition, "object storage is not set up here"))
    }
}
