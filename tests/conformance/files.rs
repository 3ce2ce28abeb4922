//! What every backend that reads files must do with wrong ones; goes with the suite beside it.

use attune::inference::InferenceError;
use attune::model::ModelBundle;

/// A network's file that is none: empty, something else, cut off. Each is an error that says so, and never a panic.
pub(crate) fn refuses_wrong_files(
    bundle: &ModelBundle,
    open: impl Fn(ModelBundle) -> Result<(), InferenceError>,
) {
    let half = bundle.graph[..bundle.graph.len() / 2].to_vec();
    for (what, file) in [("empty", vec![]), ("text", b"# a readme, say\n".repeat(64)), ("cut off", half)] {
        let mut wrong = bundle.clone();
        wrong.graph = file.into();
        let error = open(wrong).expect_err(what);
        let kind = matches!(error, InferenceError::Load(_) | InferenceError::Shape(_));
        assert!(kind && error.to_string().len() > 20, "{what}: {error:?}");
    }
}
