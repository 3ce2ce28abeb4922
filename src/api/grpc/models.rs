//! `ModelService`: which models are loaded, changes of that, and how far what they read has drifted.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::calls::{answered, deadline};
use super::v1::model_service_server::ModelService;
use super::{convert, convert_drift, convert_shadow, v1};
use crate::error::{Error, ErrorKind};
use crate::pipeline::models::{Catalogue, Entry, ModelName};
use crate::pipeline::monitor::now_ms;
use crate::pipeline::{Analyzer, Models};

/// Answers from the loaded models, and changes them where that is allowed.
#[derive(Clone)]
pub struct ModelApi {
    models: Models,
    may_change: bool,
}

impl ModelApi {
    /// Over `models`; `may_change` lets callers change them.
    pub fn new(models: Models, may_change: bool) -> Self {
        Self { models, may_change }
    }

    /// Errors: `Forbidden`, with the setting.
    fn check_allowed(&self) -> Result<(), Error> {
        if self.may_change {
            return Ok(());
        }
        let problem = "this service does not let its callers change models: nobody who calls it is asked who they are; where \
                       only those can reach it who may, set models.allow_changes = true";
        Err(Error::new(ErrorKind::Forbidden, problem))
    }

    fn list(&self) -> Vec<v1::Model> {
        let catalogue = self.models.catalogue();
        sorted(&catalogue).into_iter().map(|entry| self.describe(entry)).collect()
    }

    fn find(&self, wanted: &str) -> Result<v1::Model, Error> {
        Ok(self.describe(self.models.catalogue().resolve(wanted)?))
    }

    fn describe(&self, entry: &Entry<Arc<Analyzer>>) -> v1::Model {
        let catalogue = self.models.catalogue();
        let aliases = catalogue.aliases().iter().filter(|(_, name)| **name == entry.name);
        let aliases: Vec<String> = aliases.map(|(alias, _)| alias.clone()).collect();
        let is_default = aliases.iter().any(|alias| alias == crate::pipeline::models::DEFAULT);
        v1::Model {
            aliases,
            name: entry.directory.clone().unwrap_or_default(),
            shadow: told(self.models.shadow_of(&entry.name)),
            ..convert::model(entry.model.manifest(), is_default)
        }
    }

    async fn load(&self, request: v1::LoadModelRequest) -> Result<v1::LoadModelResponse, Error> {
        self.check_allowed()?;
        let model = self.models.load(&request.name).await?;
        let name = ModelName::of(model.manifest()).to_string();
        Ok(v1::LoadModelResponse { model: Some(self.find(&name)?) })
    }

    fn unload(&self, request: &v1::UnloadModelRequest) -> Result<v1::UnloadModelResponse, Error> {
        self.check_allowed()?;
        self.models.unload(&request.model)?;
        Ok(v1::UnloadModelResponse { models: self.list() })
    }

    fn alias(&self, request: &v1::SetAliasRequest) -> Result<v1::SetAliasResponse, Error> {
        self.check_allowed()?;
        let [previous, current] = self.models.set_alias(&request.alias, &request.model)?;
        Ok(v1::SetAliasResponse { previous: told(previous), current: told(current) })
    }

    fn shadow(&self, request: &v1::SetShadowRequest) -> Result<v1::SetShadowResponse, Error> {
        self.check_allowed()?;
        let names = self.models.set_shadow(&request.model, &request.candidate, request.share)?;
        let [model, candidate] = names.map(|name| name.to_string());
        Ok(v1::SetShadowResponse { model, candidate })
    }

    fn stop_shadow(&self, request: &v1::StopShadowRequest) -> Result<v1::StopShadowResponse, Error> {
        self.check_allowed()?;
        let report = convert_shadow::report(&self.models.stop_shadow(&request.model)?);
        Ok(v1::StopShadowResponse { report: Some(report) })
    }

    fn report(&self, request: &v1::GetShadowReportRequest) -> Result<v1::GetShadowReportResponse, Error> {
        let report = convert_shadow::report(&self.models.shadow_report(&request.model)?);
        Ok(v1::GetShadowReportResponse { report: Some(report) })
    }

    fn drift(&self, request: v1::GetDriftRequest) -> Result<v1::GetDriftResponse, Error> {
        let tenant = convert_drift::tenant(request.tenant)?;
        let catalogue = self.models.catalogue();
        let wanted = match request.id.as_str() {
            "" => sorted(&catalogue),
            id => vec![catalogue.resolve(id)?],
        };
        let drift = |entry: &Entry<Arc<Analyzer>>| {
            convert_drift::model(entry.model.manifest(), entry.model.drift(), tenant, now_ms())
        };
        Ok(v1::GetDriftResponse { models: wanted.into_iter().map(drift).collect() })
    }
}

/// What is loaded, by id, and versions in the order in which they were loaded.
fn sorted(catalogue: &Catalogue<Arc<Analyzer>>) -> Vec<&Entry<Arc<Analyzer>>> {
    let mut entries: Vec<_> = catalogue.entries().iter().collect();
    entries.sort_by(|a, b| a.name.id.cmp(&b.name.id));
    entries
}

fn told(name: Option<ModelName>) -> String {
    name.map(|name| name.to_string()).unwrap_or_default()
}

#[tonic::async_trait]
impl ModelService for ModelApi {
    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let work = async { Ok(v1::ListModelsResponse { models: self.list() }) };
        answered("ListModels", deadline(request.extensions()), work).await
    }

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { Ok(v1::GetModelResponse { model: Some(self.find(&request.id)?) }) };
        answered("GetModel", deadline(&extensions), work).await
    }

    async fn load_model(
        &self,
        request: Request<v1::LoadModelRequest>,
    ) -> Result<Response<v1::LoadModelResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("LoadModel", deadline(&extensions), self.load(request)).await
    }

    async fn unload_model(
        &self,
        request: Request<v1::UnloadModelRequest>,
    ) -> Result<Response<v1::UnloadModelResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("UnloadModel", deadline(&extensions), async { self.unload(&request) }).await
    }

    async fn set_alias(
        &self,
        request: Request<v1::SetAliasRequest>,
    ) -> Result<Response<v1::SetAliasResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("SetAlias", deadline(&extensions), async { self.alias(&request) }).await
    }

    async fn set_shadow(
        &self,
        request: Request<v1::SetShadowRequest>,
    ) -> Result<Response<v1::SetShadowResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("SetShadow", deadline(&extensions), async { self.shadow(&request) }).await
    }

    async fn stop_shadow(
        &self,
        request: Request<v1::StopShadowRequest>,
    ) -> Result<Response<v1::StopShadowResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("StopShadow", deadline(&extensions), async { self.stop_shadow(&request) }).await
    }

    async fn get_shadow_report(
        &self,
        request: Request<v1::GetShadowReportRequest>,
    ) -> Result<Response<v1::GetShadowReportResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("GetShadowReport", deadline(&extensions), async { self.report(&request) }).await
    }

    async fn get_drift(
        &self,
        request: Request<v1::GetDriftRequest>,
    ) -> Result<Response<v1::GetDriftResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("GetDrift", deadline(&extensions), async { self.drift(request) }).await
    }
}
