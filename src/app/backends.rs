//! Which backend runs a model: what its manifest says, where this build has it.

use std::sync::Arc;

use super::{Surroundings, providers};
use crate::config::Config;
use crate::error::Error;
#[cfg(not(feature = "rust-bert"))]
use crate::error::ErrorKind;
use crate::inference::BackendFactory;
use crate::inference::onnx::OnnxFactory;
use crate::inference::runtime_library::Search;
#[cfg(feature = "rust-bert")]
use crate::inference::rust_bert::RustBertFactory;
use crate::model::{ModelBundle, Network};

/// Loads what is common to a model's workers. Slow, and blocks. A network in native weights needs a build with the feature
/// `rust-bert`: without it, the error says how to make one.
pub fn factory(
    config: &Config,
    surroundings: &Surroundings,
    bundle: &Arc<ModelBundle>,
) -> Result<Box<dyn BackendFactory>, Error> {
    match bundle.manifest.network {
        Network::Onnx => {
            let configured = config.inference.runtime_library.clone();
            let search = Search::new(configured, surroundings.runtime_library.clone());
            let library = search.find()?;
            let provider = providers::provider(config, &search)?;
            Ok(Box::new(OnnxFactory::load(&library, Arc::clone(bundle))?.with_provider(provider)?))
        }
        Network::RustBert(_) => rust_bert(bundle),
    }
}

#[cfg(feature = "rust-bert")]
fn rust_bert(bundle: &ModelBundle) -> Result<Box<dyn BackendFactory>, Error> {
    Ok(Box::new(RustBertFactory::load(bundle)?))
}

#[cfg(not(feature = "rust-bert"))]
fn rust_bert(bundle: &ModelBundle) -> Result<Box<dyn BackendFactory>, Error> {
    Err(Error::new(
        ErrorKind::Precondition,
        format!(
            "can't load the model {}: its manifest says backend = \"rust-bert\", and this build of attune has ONNX only; build one \
             that has both (`make libtorch`, then `cargo build --release --features rust-bert`), or export the network to ONNX",
            bundle.manifest.id
        ),
    ))
}

#[cfg(all(test, not(feature = "rust-bert")))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Sources;

    #[test]
    fn native_weights_need_a_build_that_reads_them_and_the_error_says_how_to_make_it() {
        let directory = Path::new("tests/fixtures/rust_bert/bert");
        let bundle = Arc::new(ModelBundle::load_directory(directory).unwrap());
        let config = Config::load(&Sources::default()).unwrap();
        let error = factory(&config, &Surroundings::default(), &bundle).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        for part in ["tiny-bert", "--features rust-bert", "make libtorch"] {
            assert!(error.public().contains(part), "{error}");
        }
    }
}
