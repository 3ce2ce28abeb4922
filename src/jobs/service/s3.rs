//! S3 and what speaks like it. Settings are handed in; nothing here reads the environment.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::buckets::Buckets;
use crate::error::{Error, ErrorKind};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a transfer may stand still. There is no limit for a whole one: objects are as large as they are.
const STALL: Duration = Duration::from_secs(60);
/// Attempts of one request, and the time for all of them; the transfer as a whole is tried again above this.
const REQUEST_RETRIES: (usize, Duration) = (4, Duration::from_secs(60));

/// How S3 is reached. What is `None` comes from the variables.
#[derive(Clone, Default)]
pub struct S3Settings {
    /// URL of the service; `http://` allows a connection without TLS.
    pub endpoint: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Id and secret of a key.
    pub key: Option<(String, String)>,
    /// The usual `AWS_…` variables, with their values.
    pub variables: Vec<(String, String)>,
}

impl std::fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Buckets of S3.
#[derive(Debug, Clone)]
pub struct S3Buckets {
    settings: S3Settings,
}

impl S3Buckets {
    /// With these settings.
    pub fn new(settings: S3Settings) -> Self {
        Self { settings }
    }

    fn builder(&self, bucket: &str) -> AmazonS3Builder {
        let settings = &self.settings;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in &settings.variables {
            // Variables of other tools begin so, too.
            if let Ok(key) = AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase()) {
                builder = builder.with_config(key, value);
            }
        }
        let mut client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            .with_timeout_disabled()
            .with_read_timeout(STALL);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if builder_endpoint(settings).is_some_and(|endpoint| endpoint.starts_with("http://")) {
            client = client.with_allow_http(true);
        }
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let Some((id, secret)) = &settings.key {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        let (max_retries, retry_timeout) = REQUEST_RETRIES;
        builder.with_bucket_name(bucket).with_client_options(client).with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries,
            retry_timeout,
        })
    }
}

/// The endpoint that will be used, as far as it is told.
fn builder_endpoint(settings: &S3Settings) -> Option<&str> {
    let named = |name: &str| {
        settings.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let own = settings.endpoint.as_deref();
    own.or_else(|| named("AWS_ENDPOINT_URL_S3"))
        .or_else(|| named("AWS_ENDPOINT_URL"))
        .or_else(|| named("AWS_ENDPOINT"))
}

impl Buckets for S3Buckets {
    fn open(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Error> {
        let store = self.builder(bucket).build().map_err(|e| {
            let problem = "object storage can't be reached with these settings; see jobs.s3_endpoint, jobs.s3_region, \
                           jobs.s3_access_key_id and the AWS_ variables";
            Error::new(ErrorKind::Precondition, problem).with_source(e)
        })?;
        Ok(Arc::new(store))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_win_over_variables_and_secrets_are_not_shown() {
        let variables = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ACCESS_KEY_ID", "variable"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_PAGER", "less"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let from_variables = S3Settings { variables, ..S3Settings::default() };
        let value = |settings: &S3Settings, key| {
            S3Buckets::new(settings.clone()).builder("exports").get_config_value(&key).unwrap()
        };
        assert_eq!(value(&from_variables, AmazonS3ConfigKey::Region), "eu-west-1");
        assert_eq!(value(&from_variables, AmazonS3ConfigKey::AccessKeyId), "variable");
        assert!(!format!("{from_variables:?}").contains("hidden"));
        assert_eq!(builder_endpoint(&from_variables), Some("http://127.0.0.1:9"));
        let own = S3Settings {
            region: Some("eu-central-1".into()),
            key: Some(("own".into(), "also hidden".into())),
            endpoint: Some("https://s3.example".into()),
            ..from_variables
        };
        assert_eq!(value(&own, AmazonS3ConfigKey::Region), "eu-central-1");
        assert_eq!(value(&own, AmazonS3ConfigKey::AccessKeyId), "own");
        assert_eq!(value(&own, AmazonS3ConfigKey::Endpoint), "https://s3.example");
        assert!(!format!("{:?}", S3Buckets::new(own)).contains("hidden"));
    }
}
