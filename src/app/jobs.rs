//! The jobs of the service: settings handed on, and S3 named as what buckets are.

use std::sync::Arc;
use std::time::Duration;

use crate::app::Surroundings;
use crate::config::Config;
use crate::error::Error;
use crate::jobs::plan::Rules;
use crate::jobs::service::s3::{S3Buckets, S3Settings};
use crate::jobs::service::{Bounds, Buckets, Jobs, Patience, Settings};

/// A transfer that fails is tried again for about a minute.
const PATIENCE: Patience = Patience { attempts: 6, first: Duration::from_secs(2) };

/// What the runner goes by, here and in `attune score`.
pub fn rules(config: &Config) -> Rules {
    Rules {
        text_bytes: config.limits.text_bytes,
        text_tokens: config.limits.text_tokens,
        batch_tokens: config.batching.batch_tokens,
        checkpoint_every: config.jobs.checkpoint_every,
    }
}

/// Object storage as the configuration and the surroundings describe it. Connects to nothing.
pub fn buckets(config: &Config, surroundings: &Surroundings) -> Arc<dyn Buckets> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (id, secret) = (&config.jobs.s3_access_key_id, config.jobs.s3_secret_access_key.expose());
    Arc::new(S3Buckets::new(S3Settings {
        endpoint: some(&config.jobs.s3_endpoint),
        region: some(&config.jobs.s3_region),
        key: some(id).zip(some(secret)),
        variables: surroundings.environment.beginning("AWS_"),
    }))
}

/// The jobs that are kept in `jobs.directory`; `None` when there is none. Errors: as [`Jobs::open`].
pub(super) async fn open(config: &Config, buckets: Arc<dyn Buckets>) -> Result<Option<Jobs>, Error> {
    let jobs = &config.jobs;
    let Some(directory) = jobs.directory.clone() else { return Ok(None) };
    let settings = Settings {
        directory,
        directories: jobs.directories.clone(),
        buckets: jobs.buckets.clone(),
        bounds: Bounds {
            concurrent: jobs.concurrent,
            queued: jobs.queued,
            kept: jobs.keep_jobs,
            keep: jobs.keep,
        },
        spool_bytes: jobs.spool_bytes,
        patience: PATIENCE,
        rules: rules(config),
    };
    let open = move || Jobs::open(settings, buckets);
    tokio::task::spawn_blocking(open).await.map_err(Error::internal)?.map(Some)
}
