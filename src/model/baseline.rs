//! `[baseline]` of a manifest or an overlay: histograms of the model's own texts, which drift is measured against.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::manifest::{Activation, HeadKind, Manifest};
use crate::drift::layout::FORM;
use crate::drift::{HeadShape, Layout, Reference, ReferenceError};

/// Longest note on where the texts come from, in characters.
const SOURCE: usize = 200;

/// The table as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Form of the bins.
    form: u32,
    /// Texts that were counted.
    texts: u64,
    /// Where they come from, for people.
    #[serde(default)]
    source: String,
    /// Counts by feature, bin by bin.
    features: BTreeMap<String, Vec<u32>>,
}

impl Manifest {
    /// What drift watches of this model.
    pub fn drift_layout(&self) -> Layout {
        let heads: Vec<HeadShape<'_>> = self
            .heads
            .iter()
            .map(|head| HeadShape {
                name: &head.name,
                labels: &head.labels,
                exclusive: head.activation == Activation::Softmax,
                signed: head.kind == HeadKind::Sentiment,
            })
            .collect();
        Layout::new(&heads)
    }
}

impl Baseline {
    /// What was counted, with a note on where the texts come from.
    pub fn of(counted: &Reference, source: &str) -> Self {
        let features = counted.features().map(|(name, counts)| (name.to_owned(), counts.to_vec())).collect();
        let source = source.chars().filter(|c| !c.is_control()).take(SOURCE).collect();
        Self { form: FORM, texts: counted.texts(), source, features }
    }

    /// Checks it against what a model has. Errors say what does not fit.
    pub fn check(&self, layout: Layout) -> Result<Reference, ReferenceError> {
        Reference::try_new(layout, (self.form, self.texts), &self.features)
    }

    /// The table as TOML, a line per feature.
    pub fn to_toml(&self) -> String {
        let mut out = format!(
            "[baseline]\n# Written by attune drift baseline; docs/drift.md says what each feature counts.\n\
             form = {}\ntexts = {}\nsource = {}\n\n[baseline.features]\n",
            self.form,
            self.texts,
            toml::Value::from(self.source.as_str()),
        );
        for (name, counts) in &self.features {
            let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
            // Writing into a String can't fail.
            let _ = writeln!(out, "{} = [{}]", toml::Value::from(name.as_str()), counts.join(", "));
        }
        out
    }

    /// A manifest's or an overlay's text with this table in place of the one it has, at its end.
    pub fn written_into(&self, text: &str) -> String {
        let header = |line: &str| line.trim_start().starts_with('[');
        let own = |line: &str| {
            let line = line.trim_start();
            line.starts_with("[baseline]") || line.starts_with("[baseline.")
        };
        let mut inside = false;
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| {
                inside = if header(line) { own(line) } else { inside };
                !inside
            })
            .collect();
        format!("{}\n\n{}", kept.join("\n").trim_end(), self.to_toml())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{HeadSaid, Observation, Said};
    use crate::model::{ModelBundle, Overlay};

    const MANIFEST: &str = include_str!("../../models/attune-en-small/model.toml");

    fn counted(manifest: &Manifest) -> Reference {
        let mut said = Said::default();
        said.note(0, HeadSaid::new(std::iter::once(1), 0.4));
        said.note(1, HeadSaid::new([0, 3].into_iter(), 0.7));
        let texts = vec![Observation::read(None, 12, 0, 9, said); 300];
        Reference::of(manifest.drift_layout(), &texts)
    }

    #[test]
    fn a_table_replaces_the_one_before_and_nothing_else_of_the_file() {
        let mut manifest = Manifest::parse(MANIFEST).unwrap();
        let counted = counted(&manifest);
        let once = Baseline::of(&counted, "first \"try\"").written_into(MANIFEST);
        let twice = Baseline::of(&counted, "second").written_into(&once);
        assert_eq!(twice.matches("[baseline]").count(), 1);
        assert!(twice.starts_with(MANIFEST.split("\n[baseline]").next().unwrap().trim_end()));
        let read = Manifest::parse(&twice).unwrap();
        assert_eq!(read.baseline.as_ref().map(|b| (b.texts(), b.counts())), Some((300, counted.counts())));
        manifest.baseline.clone_from(&read.baseline);
        assert_eq!(read, manifest);
    }

    #[test]
    fn a_table_that_does_not_fit_the_model_is_named_with_what_to_do() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let text = Baseline::of(&counted(&manifest), "").written_into(MANIFEST);
        let cases = [
            ("form = 1", "form = 2", "baseline: form: is 2"),
            ("texts = 300", "texts = 3", "baseline: texts: has 3"),
            ("\"empty\" = [300, 0]", "\"empty\" = [300]", "has 1 counts for 2 bins"),
            ("\"empty\" = [300, 0]", "\"empty\" = [0, 0]", "all counts are 0"),
            ("\"empty\" = [300, 0]", "\"empties\" = [300, 0]", "the model has no such feature"),
            ("\"empty\" = [300, 0]", "\"empty\" = [-1, 0]", "empty"),
        ];
        for (from, to, problem) in cases {
            let (before, table) = text.split_once("[baseline]").unwrap();
            let wrong = format!("{before}[baseline]{}", table.replace(from, to));
            let error = Manifest::parse(&wrong).unwrap_err().to_string();
            assert!(error.contains(problem), "{to}: {error}");
        }
    }

    #[test]
    fn an_overlay_takes_the_baseline_away_unless_it_brings_its_own() {
        let mut manifest = ModelBundle::load_embedded().unwrap().manifest;
        let counted = counted(&manifest);
        manifest.baseline = Some(counted.clone());
        let plain = Overlay::new(&manifest).to_toml().unwrap();
        let mut without = manifest.clone();
        Overlay::parse(&plain).unwrap().apply(&mut without).unwrap();
        assert_eq!(without.baseline, None);
        let text = Baseline::of(&counted, "ours").written_into(&plain);
        Overlay::parse(&text).unwrap().apply(&mut without).unwrap();
        assert_eq!(without.baseline, Some(counted));
    }
}
