//! Two copies of the embedded model, with versions of their own.

const MODEL: &str = "models/attune-en-small";
pub(crate) const ID: &str = "attune-en-small";
pub(crate) const VERSIONS: [&str; 2] = ["bench-a", "bench-b"];

pub(crate) struct Root(tempfile::TempDir);

impl Root {
    pub(crate) fn make() -> Self {
        let root = tempfile::tempdir().unwrap();
        let manifest = std::fs::read_to_string(format!("{MODEL}/model.toml")).unwrap();
        for version in VERSIONS {
            let directory = root.path().join(version);
            std::fs::create_dir(&directory).unwrap();
            for file in ["model.onnx", "tokenizer.json"] {
                std::fs::copy(format!("{MODEL}/{file}"), directory.join(file)).unwrap();
            }
            let line = |line: &str| {
                if line.starts_with("version = ") {
                    format!("version = \"{version}\"")
                } else {
                    line.to_owned()
                }
            };
            let lines: Vec<String> = manifest.lines().map(line).collect();
            std::fs::write(directory.join("model.toml"), lines.join("\n")).unwrap();
        }
        Self(root)
    }

    pub(crate) fn path(&self) -> String {
        self.0.path().display().to_string()
    }
}
