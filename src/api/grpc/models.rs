//! `ModelService`: which models are loaded, and how far what they read has drifted.

use std::sync::Arc;
use std::time::Instant;

use tonic::{Request, Response, Status};

use super::calls::{answered, deadline};
use super::v1::model_service_server::ModelService;
use super::{convert, convert_drift, status, v1};
use crate::error::Error;
use crate::pipeline::Models;
use crate::pipeline::monitor::now_ms;
use crate::telemetry::metrics;

/// Answers from the loaded models.
#[derive(Clone)]
pub struct ModelApi {
    models: Models,
}

impl ModelApi {
    /// Over `models`.
    pub fn new(models: Models) -> Self {
        Self { models }
    }

    fn describe(&self, analyzer: &Arc<crate::pipeline::Analyzer>) -> v1::Model {
        convert::model(analyzer.manifest(), Arc::ptr_eq(analyzer, self.models.default_model()))
    }

    fn drift(&self, request: v1::GetDriftRequest) -> Result<v1::GetDriftResponse, Error> {
        let tenant = convert_drift::tenant(request.tenant)?;
        let wanted = match request.id.as_str() {
            "" => self.models.iter().collect(),
            id => vec![self.models.get(id)?],
        };
        let drift = |analyzer: &Arc<crate::pipeline::Analyzer>| {
            convert_drift::model(analyzer.manifest(), analyzer.drift(), tenant, now_ms())
        };
        Ok(v1::GetDriftResponse { models: wanted.into_iter().map(drift).collect() })
    }
}

#[tonic::async_trait]
impl ModelService for ModelApi {
    async fn list_models(
        &self,
        _: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let started = Instant::now();
        let models = self.models.iter().map(|m| self.describe(m)).collect();
        metrics::request("ListModels", "ok", started.elapsed());
        Ok(Response::new(v1::ListModelsResponse { models }))
    }

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let started = Instant::now();
        let found = self.models.get(&request.get_ref().id).map(|m| self.describe(m));
        let answer = found
            .map(|model| Response::new(v1::GetModelResponse { model: Some(model) }))
            .map_err(|error| status::status(&error));
        let code = answer.as_ref().map_or_else(tonic::Status::code, |_| tonic::Code::Ok);
        metrics::request("GetModel", status::code_name(code), started.elapsed());
        answer
    }

    async fn get_drift(
        &self,
        request: Request<v1::GetDriftRequest>,
    ) -> Result<Response<v1::GetDriftResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("GetDrift", deadline(&extensions), async { self.drift(request) }).await
    }
}
