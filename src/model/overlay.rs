//! An overlay: thresholds and calibration of some labels, in place of a manifest's own; written by `attune calibrate`.
//!
//! It belongs to one version of one model, and says nothing of weights or labels. It may bring a baseline of its own.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::manifest::{Head, Manifest};
use crate::domain::Probability;
use crate::error::{Error, ErrorKind};

/// The form of overlay that this build reads and writes.
const SCHEMA: u32 = 1;
/// Largest overlay that is read: real ones have a few kilobytes.
const OVERLAY_BYTES: u64 = 1 << 20;

/// What replaces the manifest's values for one label; what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayEntry {
    /// Probability from which the label is reported, in [0, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Calibrated logit = scale · logit + shift; finite, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// See `scale`; finite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
}

/// Values for some labels of one model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    schema: u32,
    /// Id of the model.
    model: String,
    /// Its version.
    version: String,
    /// Head, label, values.
    heads: BTreeMap<String, BTreeMap<String, OverlayEntry>>,
    /// What drift is measured against with these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    baseline: Option<Baseline>,
}

/// What is wrong with an overlay.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The file can't be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// Not TOML, or a key is missing, unknown, or of the wrong type.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// It can't be written as TOML.
    #[error("{0}")]
    Write(#[from] toml::ser::Error),
    /// It belongs to another model, or to another version.
    #[error("is for {expected}, and the model is {found}; run attune calibrate with this model")]
    OtherModel {
        /// Id and version in the overlay.
        expected: String,
        /// Id and version of the model.
        found: String,
    },
    /// A value breaks a rule, or names nothing of the model.
    #[error("{key}: {problem}")]
    Invalid {
        /// Path of the key.
        key: String,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
}

impl OverlayError {
    /// The error of the file at `path`.
    fn at(self, path: &Path) -> Error {
        let kind = match &self {
            Self::Read(source) if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Read(_) => ErrorKind::Unavailable,
            Self::Write(_) => ErrorKind::Internal,
            Self::Syntax(_) | Self::OtherModel { .. } | Self::Invalid { .. } => ErrorKind::InvalidInput,
        };
        Error::new(kind, format!("overlay {}: {self}", path.display()))
    }
}

fn invalid(key: impl Into<String>, problem: impl Into<String>) -> OverlayError {
    OverlayError::Invalid { key: key.into(), problem: problem.into() }
}

impl Overlay {
    /// An overlay for a model that changes nothing yet.
    pub fn new(manifest: &Manifest) -> Self {
        Self {
            schema: SCHEMA,
            model: manifest.id.clone(),
            version: manifest.version.clone(),
            heads: BTreeMap::new(),
            baseline: None,
        }
    }

    /// Reads a file. Errors name it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = read(path).map_err(|e| OverlayError::from(e).at(path))?;
        Self::parse(&text).map_err(|e| e.at(path))
    }

    /// Reads a file and puts its values into a manifest. Errors name it.
    pub fn load_onto(manifest: &mut Manifest, path: &Path) -> Result<(), Error> {
        Self::load(path)?.apply(manifest).map_err(|e| e.at(path))
    }

    /// Reads the text of an overlay.
    pub fn parse(text: &str) -> Result<Self, OverlayError> {
        let overlay: Self = toml::from_str(text)?;
        if overlay.schema != SCHEMA {
            let problem = format!("this build reads form {SCHEMA}, not {}", overlay.schema);
            return Err(invalid("schema", problem));
        }
        Ok(overlay)
    }

    /// Writes it to a file, as a whole or not at all. Errors name it.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let text = self.to_toml().map_err(|e| e.at(path))?;
        write(path, &text).map_err(|e| OverlayError::from(e).at(path))
    }

    /// The overlay as a file.
    pub fn to_toml(&self) -> Result<String, OverlayError> {
        let body = toml::to_string(self)?;
        Ok(format!("# Written by attune calibrate; docs/evaluation.md says what each key means.\n{body}"))
    }

    /// Sets the values of a label. A baseline is gone with it: it was counted with other values.
    pub fn set(&mut self, head: &str, label: &str, entry: OverlayEntry) {
        self.baseline = None;
        self.heads.entry(head.to_owned()).or_default().insert(label.to_owned(), entry);
    }

    /// Puts the values into a manifest. Nothing is changed when something is wrong.
    pub fn apply(&self, manifest: &mut Manifest) -> Result<(), OverlayError> {
        let named = |id: &str, version: &str| format!("{id} {version}");
        let (expected, found) = (named(&self.model, &self.version), named(&manifest.id, &manifest.version));
        if expected != found {
            return Err(OverlayError::OtherModel { expected, found });
        }
        let mut heads = manifest.heads.clone();
        for (name, labels) in &self.heads {
            let names: Vec<&str> = manifest.heads.iter().map(|head| head.name.as_str()).collect();
            let head = heads.iter_mut().find(|head| head.name == *name).ok_or_else(|| {
                let problem = format!("the model has no such head; it has {}", names.join(", "));
                invalid(format!("heads.{name}"), problem)
            })?;
            for (label, entry) in labels {
                apply_entry(head, label, entry)?;
            }
        }
        let baseline = self.baseline.as_ref().map(|baseline| baseline.check(manifest.drift_layout()));
        let baseline = baseline.transpose().map_err(|e| invalid("baseline", e.to_string()))?;
        manifest.heads = heads;
        // The manifest's own was counted with other thresholds: against it, every text would have drifted.
        manifest.baseline = baseline;
        Ok(())
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(OVERLAY_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > OVERLAY_BYTES {
        return Err(std::io::Error::other(format!("larger than {OVERLAY_BYTES} bytes")));
    }
    Ok(text)
}

/// Writes beside the file and renames, so that an overlay in use is never half of one. What is no plain file, such as
/// `/dev/stdout` or a link, stays what it is and is written to.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let plain = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.is_file(),
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    };
    if !plain {
        return std::fs::write(path, text);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // There may be none; the error that counts is the first.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn apply_entry(head: &mut Head, label: &str, entry: &OverlayEntry) -> Result<(), OverlayError> {
    let key = |field: &str| format!("heads.{}.{label}{field}", head.name);
    let place =
        head.labels.iter().position(|known| known == label).ok_or_else(|| {
            invalid(key(""), "the model has no such label; attune models --labels lists them")
        })?;
    let threshold = entry.threshold.map(Probability::try_new).transpose();
    let threshold = threshold.map_err(|e| invalid(key(".threshold"), e.to_string()))?;
    if entry.scale.is_some_and(|scale| !scale.is_finite() || scale <= 0.0) {
        return Err(invalid(key(".scale"), "expected a finite number above 0"));
    }
    if entry.shift.is_some_and(|shift| !shift.is_finite()) {
        return Err(invalid(key(".shift"), "expected a finite number"));
    }
    head.thresholds[place] = threshold.unwrap_or(head.thresholds[place]);
    head.scale[place] = entry.scale.unwrap_or(head.scale[place]);
    head.shift[place] = entry.shift.unwrap_or(head.shift[place]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelBundle;

    fn manifest() -> Manifest {
        ModelBundle::load_embedded().unwrap().manifest
    }

    fn apply(text: &str, manifest: &mut Manifest) -> Result<(), OverlayError> {
        let text = text.replace("MODEL", &manifest.id).replace("VERSION", &manifest.version);
        Overlay::parse(&text)?.apply(manifest)
    }

    #[test]
    fn what_is_written_is_read_again_and_changes_what_it_names_alone() {
        let before = manifest();
        let mut overlay = Overlay::new(&before);
        let entry = OverlayEntry { threshold: Some(0.25), scale: Some(1.5), shift: None };
        overlay.set("emotion", "joy", entry);
        let read = Overlay::parse(&overlay.to_toml().unwrap()).unwrap();
        assert_eq!(read, overlay);
        let mut after = before.clone();
        read.apply(&mut after).unwrap();
        let (old, new) = (&before.heads[1], &after.heads[1]);
        let joy = old.labels.iter().position(|label| label == "joy").unwrap();
        assert_eq!((new.thresholds[joy].get(), new.scale[joy], new.shift[joy]), (0.25, 1.5, old.shift[joy]));
        assert_eq!((&before.heads[0], &before.heads[2]), (&after.heads[0], &after.heads[2]));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mine.toml");
        std::fs::write(&path, "schema = 1").unwrap();
        let mut overlay = Overlay::new(&manifest());
        overlay.set("emotion", "joy", OverlayEntry { threshold: Some(0.25), ..OverlayEntry::default() });
        overlay.save(&path).unwrap();
        assert_eq!(Overlay::load(&path).unwrap(), overlay);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Overlay::load(Path::new("/nonexistent/mine.toml")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.public().contains("/nonexistent/mine.toml"), "{error}");
    }

    #[test]
    fn each_mistake_is_named_with_its_key_and_changes_nothing() {
        let start = "schema = 1\nmodel = \"MODEL\"\nversion = \"VERSION\"\n";
        for (text, message) in [
            (format!("{start}[heads.mood.joy]\nscale = 1.0"), "heads.mood: the model has no such head"),
            (
                format!("{start}[heads.emotion.glee]\nscale = 1.0"),
                "heads.emotion.glee: the model has no such",
            ),
            (
                format!("{start}[heads.emotion.joy]\nthreshold = 1.5"),
                "heads.emotion.joy.threshold: 1.5 is not",
            ),
            (
                format!("{start}[heads.emotion.joy]\nscale = 0.0"),
                "heads.emotion.joy.scale: expected a finite",
            ),
            (
                format!("{start}[heads.emotion.joy]\nshift = inf"),
                "heads.emotion.joy.shift: expected a finite",
            ),
            (format!("{start}[heads.emotion.joy]\nbias = 1.0"), "unknown field `bias`"),
            (start.replace("VERSION", "0.0.0") + "[heads]", "is for attune-en-small 0.0.0"),
            (start.replace("MODEL", "other") + "[heads]", "is for other "),
            (start.replace("schema = 1", "schema = 2") + "[heads]", "schema: this build reads form 1, not 2"),
        ] {
            let mut changed = manifest();
            let error = apply(&text, &mut changed).unwrap_err().at(Path::new("mine.toml"));
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.public().starts_with("overlay mine.toml: "), "{error}");
            assert!(error.public().contains(message), "{error}");
            assert_eq!(changed, manifest());
        }
    }
}
