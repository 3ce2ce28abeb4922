//! A client for the command line: texts to a running server, assessments back.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use super::v1::analysis_service_client::AnalysisServiceClient;
use super::v1::conversation_service_client::ConversationServiceClient;
use super::v1::job_service_client::JobServiceClient;
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
        let answer =
            self.model_service().list_models(v1::ListModelsRequest {}).await.map_err(|s| self.error(&s))?;
        Ok(answer.into_inner().models)
    }

    fn model_service(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone())
    }

    /// Has the server load the model in a sub-directory.
    pub async fn load_model(&self, name: &str) -> Result<v1::Model, Error> {
        let answer = self.model_service().load_model(v1::LoadModelRequest { name: name.into() }).await;
        answer.map(|a| a.into_inner().model.unwrap_or_default()).map_err(|s| self.error(&s))
    }

    /// Has the server let go of a version; returns what is left.
    pub async fn unload_model(&self, model: &str) -> Result<Vec<v1::Model>, Error> {
        let answer = self.model_service().unload_model(v1::UnloadModelRequest { model: model.into() }).await;
        answer.map(|a| a.into_inner().models).map_err(|s| self.error(&s))
    }

    /// Lets an alias point to another model.
    pub async fn set_alias(&self, alias: &str, model: &str) -> Result<v1::SetAliasResponse, Error> {
        let request = v1::SetAliasRequest { alias: alias.into(), model: model.into() };
        let answer = self.model_service().set_alias(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// Begins a shadow.
    pub async fn set_shadow(
        &self,
        model: &str,
        candidate: &str,
        share: f64,
    ) -> Result<v1::SetShadowResponse, Error> {
        let request = v1::SetShadowRequest { model: model.into(), candidate: candidate.into(), share };
        let answer = self.model_service().set_shadow(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// Ends a shadow; returns its last report.
    pub async fn stop_shadow(&self, model: &str) -> Result<v1::ShadowReport, Error> {
        let answer = self.model_service().stop_shadow(v1::StopShadowRequest { model: model.into() }).await;
        answer.map(|a| a.into_inner().report.unwrap_or_default()).map_err(|s| self.error(&s))
    }

    /// How a candidate differs so far.
    pub async fn shadow_report(&self, model: &str) -> Result<v1::ShadowReport, Error> {
        let request = v1::GetShadowReportRequest { model: model.into() };
        let answer = self.model_service().get_shadow_report(request).await;
        answer.map(|a| a.into_inner().report.unwrap_or_default()).map_err(|s| self.error(&s))
    }

    /// How far what the server's models read has drifted.
    pub async fn drift(&self, request: v1::GetDriftRequest) -> Result<v1::GetDriftResponse, Error> {
        let mut client = self.model_service().max_decoding_message_size(ANSWER_BYTES);
        client.get_drift(request).await.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    fn job_service(&self) -> JobServiceClient<Channel> {
        JobServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES)
    }

    /// Creates a job.
    pub async fn create_job(&self, request: v1::CreateJobRequest) -> Result<v1::CreateJobResponse, Error> {
        let answer = self.job_service().create_job(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// A job.
    pub async fn job(&self, id: &str) -> Result<v1::Job, Error> {
        let answer = self.job_service().get_job(v1::GetJobRequest { id: id.into() }).await;
        answer.map(|a| a.into_inner().job.unwrap_or_default()).map_err(|s| self.error(&s))
    }

    /// A page of jobs.
    pub async fn jobs(&self, request: v1::ListJobsRequest) -> Result<v1::ListJobsResponse, Error> {
        let answer = self.job_service().list_jobs(request).await;
        answer.map(tonic::Response::into_inner).map_err(|s| self.error(&s))
    }

    /// Takes a job back.
    pub async fn cancel_job(&self, id: &str) -> Result<v1::Job, Error> {
        let answer = self.job_service().cancel_job(v1::CancelJobRequest { id: id.into() }).await;
        answer.map(|a| a.into_inner().job.unwrap_or_default()).map_err(|s| self.error(&s))
    }

    /// The states of a job, until it ends.
    pub async fn watch_job(self, id: &str) -> Result<JobStates, Error> {
        let answer = self.job_service().watch_job(v1::WatchJobRequest { id: id.into() }).await;
        let states = answer.map_err(|s| self.error(&s))?.into_inner();
        Ok(JobStates { client: self, states })
    }

    fn error(&self, status: &tonic::Status) -> Error {
        Error::new(status::kind(status.code()), format!("{}: {}", self.url, status.message()))
    }
}

/// What a server tells of a job.
pub struct JobStates {
    client: Client,
    states: tonic::Streaming<v1::WatchJobResponse>,
}

impl JobStates {
    /// The next state; `None` after the last one. Errors: those of the server, and of the way to it.
    pub async fn next(&mut self) -> Result<Option<v1::Job>, Error> {
        let answer = self.states.message().await.map_err(|s| self.client.error(&s))?;
        Ok(answer.map(|answer| answer.job.unwrap_or_default()))
    }
}
