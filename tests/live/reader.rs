//! The embedded model in this process, and one way to read a text with it.

use attune::app::{Surroundings, build_models};
use attune::batching::{Entrance, Lane};
use attune::config::{Config, Sources};
use attune::domain::Assessment;
use attune::drift::Tenant;
use attune::error::Error;
use attune::pipeline::{AnalysisOptions, Analyzer, Call, Models};

pub(crate) fn models() -> Models {
    models_with(&[])
}

pub(crate) fn models_with(flags: &[(&str, &str)]) -> Models {
    try_models(flags).unwrap()
}

pub(crate) fn try_models(flags: &[(&str, &str)]) -> Result<Models, Error> {
    let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let runtime_library = std::env::var_os("ORT_DYLIB_PATH").map(Into::into);
    let surroundings = Surroundings { runtime_library, ..Surroundings::default() };
    build_models(&config, &surroundings)
}

/// Every label with its probability, and evidence for those that are predicted.
pub(crate) async fn read(analyzer: &Analyzer, text: &str) -> Assessment {
    let options = AnalysisOptions { all_labels: true, ..AnalysisOptions::default() };
    let options = options.resolve(analyzer.manifest()).unwrap();
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    analyzer.analyze(text, Some("en"), &options, call).await.unwrap()
}
