//! A client for the command line: texts to a running server, assessments back.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use super::v1::analysis_service_client::AnalysisServiceClient;
use super::v1::conversation_service_client::ConversationServiceClient;
use super::v1::model_service_client::ModelServiceClient;
use super::{status, v1};
use crate::error::{Error, ErrorKind};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Answers of a batch are larger than tonic's default of 4 MiB.
const ANSWER_BYTES: usize = 256 << 20;

/// A connection to a server.
pub struct Client {
    channel: Channel,
    url: String,
}

impl Client {
    /// Connects to `url`, such as `http://127.0.0.1:50051`.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let endpoint = Endpoint::from_shared(url.clone())
            .map_err(|_| Error::invalid("--server", "expected a URL such as http://127.0.0.1:50051"))?
            .connect_timeout(CONNECT);
        let channel = endpoint.connect().await.map_err(|e| {
            Error::new(
                ErrorKind::Unavailable,
                format!("no server answers at {url}; start one with `attune serve`"),
            )
            .with_source(e)
        })?;
        Ok(Self { channel, url })
    }

    /// Scores texts in their order.
    pub async fn batch(
        &self,
        request: v1::BatchAnalyzeTextRequest,
    ) -> Result<v1::BatchAnalyzeTextResponse, Error> {
        let mut client =
            AnalysisServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES);
        client.batch_analyze_text(request).await.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// Reads a conversation.
    pub async fn conversation(
        &self,
        request: v1::AnalyzeConversationRequest,
    ) -> Result<v1::AnalyzeConversationResponse, Error> {
        let mut client =
            ConversationServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES);
        let answer = client.analyze_conversation(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// The models that the server has loaded.
    pub async fn models(&self) -> Result<Vec<v1::Model>, Error> {
        let mut client = ModelServiceClient::new(self.channel.clone());
        let answer = client.list_models(v1::ListModelsRequest {}).await.map_err(|s| self.error(&s))?;
        Ok(answer.into_inner().models)
    }

    fn error(&self, status: &tonic::Status) -> Error {
        Error::new(status::kind(status.code()), format!("{}: {}", self.url, status.message()))
    }
}
