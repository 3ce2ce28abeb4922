//! Log output: JSON for machines, a readable line for people; always to standard error, so that results stay clean.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people at a terminal.
    Human,
}

/// Starts logging; `filter` has `RUST_LOG` syntax ("info", "attune=debug,tonic=warn"). Only the first call in a process
/// counts. Returns what is wrong with a filter that can't be read.
pub fn init(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|e| format!("log filter {filter:?}: {e}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // The close event of a request's span carries its time and its fields.
        .with_span_events(FmtSpan::CLOSE)
        .with_target(true);
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Human => builder.compact().try_init(),
    };
    Ok(())
}
