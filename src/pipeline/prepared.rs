//! What is known of a text before the network reads it: its language and its tokens, within the bounds.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument;

use super::analyzer::{Analyzer, BLOCKING_BYTES};
use crate::domain::{Assessment, Status};
use crate::error::Error;
use crate::inference::TokenizedText;
use crate::inference::language::{self, Identification};
use crate::telemetry::metrics;

/// A text's language and how sure that is.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) tag: Option<String>,
    pub(super) confidence: f64,
}

/// A text that the network is to read.
pub(super) struct Prepared {
    pub(super) found: Found,
    pub(super) tokens: TokenizedText,
}

impl From<Identification> for Found {
    fn from(found: Identification) -> Self {
        Self { tag: found.tag.map(str::to_owned), confidence: found.confidence }
    }
}

impl Analyzer {
    pub(super) fn check_bytes(&self, text: &str) -> Result<(), Error> {
        let (found, most) = (text.len(), self.settings.text_bytes);
        if found <= most {
            return Ok(());
        }
        let message =
            format!("has {found} bytes, at most {most} are read; split it, or raise limits.text_bytes");
        Err(Error::invalid("text", message))
    }

    /// The text's language, or the answer for a text that is empty or in a language that the model can't read.
    pub(super) fn find_language(&self, text: &str, language: Option<&str>) -> Result<Found, Box<Assessment>> {
        if text.trim().is_empty() {
            return Err(Box::new(self.unread(Status::Empty, Found { tag: None, confidence: 0.0 })));
        }
        let found = match language {
            Some(tag) => Found { tag: Some(tag.to_owned()), confidence: 1.0 },
            None => language::identify(text).into(),
        };
        if !language::is_supported(found.tag.as_deref(), &self.manifest().languages) {
            return Err(Box::new(self.unread(Status::UnsupportedLanguage, found)));
        }
        Ok(found)
    }

    /// Everything before the network, on this thread. `Err` holds the answer of a text that does not reach it.
    pub(super) fn prepare(
        &self,
        text: &str,
        language: Option<&str>,
    ) -> Result<Prepared, Result<Box<Assessment>, Error>> {
        self.check_bytes(text).map_err(Err)?;
        let found = self.find_language(text, language).map_err(Ok)?;
        let tokens = self.tokenizer.tokenize(text).map_err(|e| Err(e.into()))?;
        self.check_tokens(&tokens).map_err(Err)?;
        if tokens.ids.is_empty() {
            return Err(Ok(Box::new(self.unread(Status::Empty, found))));
        }
        Ok(Prepared { found, tokens })
    }

    pub(super) async fn tokenize(&self, text: &str) -> Result<TokenizedText, Error> {
        let started = Instant::now();
        let span = tracing::debug_span!("tokenize");
        let tokens = if text.len() > BLOCKING_BYTES {
            let (tokenizer, text) = (Arc::clone(&self.tokenizer), text.to_owned());
            tokio::task::spawn_blocking(move || tokenizer.tokenize(&text))
                .instrument(span)
                .await
                .map_err(Error::internal)??
        } else {
            span.in_scope(|| self.tokenizer.tokenize(text))?
        };
        metrics::stage("tokenize", started.elapsed());
        self.check_tokens(&tokens)?;
        Ok(tokens)
    }

    fn check_tokens(&self, tokens: &TokenizedText) -> Result<(), Error> {
        let (found, most) = (tokens.ids.len(), self.settings.text_tokens);
        if found <= most {
            return Ok(());
        }
        let message =
            format!("has {found} tokens, at most {most} are read; split it, or raise limits.text_tokens");
        Err(Error::invalid("text", message))
    }
}
