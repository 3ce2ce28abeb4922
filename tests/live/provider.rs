//! Execution providers: what is missing is said with what to do, and OpenVINO, where it is fetched and offers a device, reads as the
//! processors do.

use std::path::{Path, PathBuf};

use attune::pipeline::Models;

use crate::command::attune;
use crate::reader::{models, read, try_models};

/// Where `make openvino` puts the plugin.
fn plugin() -> PathBuf {
    let plugin = ".runtime/openvino/libonnxruntime_providers_openvino_plugin.so";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(plugin)
}

/// The embedded model under OpenVINO; `None`, and a line that says so, where that can't be.
fn under_openvino(options: &[(&str, &str)]) -> Option<Models> {
    let plugin = plugin();
    if !plugin.is_file() {
        eprintln!("left out: OpenVINO's plugin is not there; `make openvino` fetches it");
        return None;
    }
    let mut flags =
        vec![("inference.provider", "openvino"), ("inference.provider_library", plugin.to_str().unwrap())];
    flags.extend(options);
    match try_models(&flags) {
        Ok(models) => Some(models),
        Err(error) if error.public().starts_with("OpenVINO offers no CPU here") => {
            eprintln!("left out: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openvino_reads_as_the_processors_do() {
    let cpu = models();
    // What OpenVINO does by itself (bf16 where the processor has it), and in float32.
    for options in [&[][..], &[("inference.provider_options.precision", "f32")]] {
        let Some(openvino) = under_openvino(options) else { return };
        let golden = include_str!("../fixtures/golden/attune-en-small.jsonl").lines().step_by(8);
        let (mut differences, mut other_labels, mut texts) = (Vec::new(), 0, 0);
        for line in golden {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = row["text"].as_str().unwrap();
            let (a, b) =
                (read(&cpu.default_model(), text).await, read(&openvino.default_model(), text).await);
            let (left, right) = (a.sentiment.unwrap(), b.sentiment.unwrap());
            other_labels += usize::from(left.label != right.label);
            let classes = [left.negative, left.neutral, left.positive].into_iter();
            let classes = classes.zip([right.negative, right.neutral, right.positive]);
            let labels = a.emotions.iter().chain(&a.cues).map(|label| label.probability);
            let labels = labels.zip(b.emotions.iter().chain(&b.cues).map(|label| label.probability));
            differences.extend(classes.chain(labels).map(|(p, q)| (p.get() - q.get()).abs()));
            texts += 1;
        }
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        let large = differences.iter().filter(|difference| **difference > 0.05).count();
        // Company in a batch moves single probabilities as far on the processors themselves (docs/models.md).
        assert!(mean <= 0.005, "{options:?}: probabilities differ by {mean:.4} in the mean");
        assert!(
            large * 200 <= differences.len(),
            "{options:?}: {large} probabilities differ by more than .05"
        );
        // A text that lies between two labels may get the other one.
        assert!(other_labels <= 1, "{options:?}: {other_labels} of {texts} labels differ");
    }
}

#[test]
fn a_provider_that_is_not_there_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = directory.path().join("plugin.so");
    std::fs::write(&wrong, b"this is no library").unwrap();
    let wrong = format!("inference.provider_library={}", wrong.display());
    let mut cases = vec![
        (
            vec!["inference.provider=openvino", "inference.provider_library=/nonexistent.so"],
            70,
            "inference.provider_library names /nonexistent.so, which is not a file",
        ),
        (vec!["inference.provider=openvino", &wrong], 70, "`make openvino` fetches one that fits"),
        (vec!["inference.provider=tpu"], 65, "unknown variant `tpu`"),
        (
            vec!["inference.provider=openvino", "inference.provider_options.device=tpu"],
            65,
            "`inference.provider_options.device`: expected cpu, gpu, npu",
        ),
    ];
    if !cfg!(feature = "cuda") {
        cases.push((vec!["inference.provider=cuda"], 70, "--features cuda"));
    }
    for (settings, code, message) in cases {
        let mut command = attune();
        for setting in &settings {
            command.args(["--set", setting]);
        }
        let output = command.args(["analyze", "hi"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{settings:?}: {told}");
        assert!(told.contains(message), "{settings:?}: {told}");
    }
}
