//! The JSON in which stores keep what has no column of its own.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Errors: `Internal`; the values of this project can always be written.
pub(super) fn write<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// Errors: `Internal` when a row was not written by this version of attune or an older one.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    // The cause of serde tells places and names, and no values of texts.
    serde_json::from_str(text).map_err(Error::internal)
}

/// The same, for what is written once there is something to remember.
pub(super) fn read_or_default<T: DeserializeOwned + Default>(text: Option<&str>) -> Result<T, Error> {
    text.map_or_else(|| Ok(T::default()), read)
}
