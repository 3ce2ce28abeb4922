//! `ConversationService`: whole conversations, live ones, and the list of those that need a person.

use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};
use tracing::Instrument;

use super::calls::{CallRecord, answered, deadline, ended, stopping};
use super::monitoring::{Session, TURNS_IN_FLIGHT};
use super::v1::conversation_service_server::ConversationService;
use super::{convert, convert_conversation as talk, escalations, status, v1};
use crate::batching::{Entrance, Lane};
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};
use crate::escalation::alert::Note;
use crate::pipeline::conversation::{self, TurnOptions};
use crate::pipeline::monitor::{ConversationKey, Monitor, Notice, now_ms};
use crate::pipeline::{Call, Models};

/// Serves conversations.
#[derive(Clone)]
pub struct ConversationApi {
    models: Models,
    monitor: Arc<Monitor>,
    turns: usize,
    stop: CancellationToken,
}

impl ConversationApi {
    /// `turns` is the most that one conversation may have; `stop` ends the streams that would go on for ever.
    pub fn new(models: Models, monitor: Arc<Monitor>, turns: usize, stop: CancellationToken) -> Self {
        Self { models, monitor, turns, stop }
    }

    /// Reads a whole conversation; how it waits for room is its `entrance`.
    ///
    /// Errors: `InvalidInput`, `Overloaded`, `DeadlineExceeded`, the turn's place in the field.
    pub async fn analyze(
        &self,
        request: v1::AnalyzeConversationRequest,
        entrance: Entrance,
        deadline: Option<std::time::Instant>,
    ) -> Result<v1::AnalyzeConversationResponse, Error> {
        if request.turns.len() > self.turns {
            let problem = format!("has {} turns, at most {} are read", request.turns.len(), self.turns);
            return Err(Error::invalid("turns", format!("{problem}; raise limits.conversation_turns")));
        }
        let analyzer = self.models.get(&request.model)?;
        let (options, lane) = convert::options(request.options, Lane::Interactive)?;
        let options = TurnOptions::resolve(&options, &analyzer)?;
        let (conversation, account) =
            talk::conversation(request.conversation_id, request.context, request.turns)?;
        let key = ConversationKey {
            tenant: conversation.tenant.clone().unwrap_or_default(),
            id: conversation.id.clone(),
        };
        let rules = self.monitor.rules(&key.tenant, conversation.channel);
        let call = Call { lane, entrance, deadline, tenant: Tenant::of(&key.tenant) };
        let reading = conversation::read(&analyzer, &rules, &conversation, account, &options, call).await?;
        Ok(talk::reading(&key, reading, request.omit_assessments))
    }

    fn note(
        &self,
        tenant: String,
        conversation: String,
        alert: &str,
        note: Note,
    ) -> Result<v1::AlertEvent, Error> {
        let key = ConversationKey {
            tenant: talk::id(tenant, "tenant")?,
            id: talk::required_id(conversation, "conversation_id")?,
        };
        let event = self.monitor.note(&key, alert, note)?;
        Ok(talk::alert_event(&key, event))
    }

    fn acknowledge(
        &self,
        request: v1::AcknowledgeAlertRequest,
    ) -> Result<v1::AcknowledgeAlertResponse, Error> {
        let by = talk::required_id(request.by, "by")?;
        let event =
            self.note(request.tenant, request.conversation_id, &request.alert_id, Note::Acknowledge(by))?;
        Ok(v1::AcknowledgeAlertResponse { event: Some(event) })
    }

    fn snooze(&self, request: v1::SnoozeAlertRequest) -> Result<v1::SnoozeAlertResponse, Error> {
        if request.until_ms <= now_ms() {
            return Err(Error::invalid(
                "until_ms",
                "expected a time in the future, in milliseconds since 1970",
            ));
        }
        let note = Note::SnoozeUntil(request.until_ms);
        let event = self.note(request.tenant, request.conversation_id, &request.alert_id, note)?;
        Ok(v1::SnoozeAlertResponse { event: Some(event) })
    }

    fn policy(&self, request: v1::GetPolicyRequest) -> Result<v1::GetPolicyResponse, Error> {
        let tenant = talk::id(request.tenant, "tenant")?;
        let channel = talk::channel(request.channel, "channel")?;
        Ok(talk::policy(&self.monitor.rules(&tenant, channel)))
    }
}

#[tonic::async_trait]
impl ConversationService for ConversationApi {
    async fn analyze_conversation(
        &self,
        request: Request<v1::AnalyzeConversationRequest>,
    ) -> Result<Response<v1::AnalyzeConversationResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let span =
            tracing::debug_span!("rpc", rpc.method = "AnalyzeConversation", turns = request.turns.len());
        let deadline = deadline(&extensions);
        let work = self.analyze(request, Entrance::Refuse, deadline).instrument(span);
        answered("AnalyzeConversation", deadline, work).await
    }

    type MonitorConversationStream = BoxStream<'static, Result<v1::MonitorConversationResponse, Status>>;

    /// As with texts, the responses pull the requests: a reader that stops reading stops its sender.
    async fn monitor_conversation(
        &self,
        request: Request<Streaming<v1::MonitorConversationRequest>>,
    ) -> Result<Response<Self::MonitorConversationStream>, Status> {
        let (_, extensions, inbound) = request.into_parts();
        let deadline = deadline(&extensions);
        let mut session = Session::new(self.models.clone(), Arc::clone(&self.monitor), deadline);
        let (mut record, mut told) = (CallRecord::new("MonitorConversation", deadline), session.teller());
        let results = inbound
            .take_until(self.stop.clone().cancelled_owned())
            .map(move |message| {
                let read = message.map(|m| session.read(m));
                async move {
                    match read {
                        Ok(read) => Ok(read.await),
                        Err(status) => Err(status),
                    }
                }
            })
            .buffered(TURNS_IN_FLIGHT)
            .map(move |read| {
                record.end_with(read.as_ref().map_or_else(Status::code, |_| Code::Ok));
                read.map(|read| told.hear(read))
            })
            .chain(stopping(self.stop.clone()));
        Ok(Response::new(ended(results, deadline).boxed()))
    }

    async fn list_escalations(
        &self,
        request: Request<v1::ListEscalationsRequest>,
    ) -> Result<Response<v1::ListEscalationsResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let monitor = Arc::clone(&self.monitor);
        // All conversations are looked at: not on a thread that others wait for.
        let work = async move {
            let list = move || escalations::list(&monitor, request);
            tokio::task::spawn_blocking(list).await.map_err(Error::internal)?
        };
        answered("ListEscalations", deadline(&extensions), work).await
    }

    type WatchEscalationsStream = BoxStream<'static, Result<v1::WatchEscalationsResponse, Status>>;

    async fn watch_escalations(
        &self,
        request: Request<v1::WatchEscalationsRequest>,
    ) -> Result<Response<Self::WatchEscalationsStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let deadline = deadline(&extensions);
        let filter = escalations::Filter::of(request.tenant, request.channel, request.minimum_tier)
            .map_err(|e| status::status(&e))?;
        // First the subscription, then the list: what happens in between is told twice rather than never.
        let changes = self.monitor.watch();
        let monitor = Arc::clone(&self.monitor);
        let open = tokio::task::spawn_blocking(move || monitor.escalations())
            .await
            .map_err(|e| status::status(&Error::internal(e)))?;
        let ranked = escalations::ranked(&open);
        let first: Vec<_> = ranked
            .filter(|(escalation, _)| filter.takes(escalation))
            .map(|(e, within)| {
                Ok(v1::WatchEscalationsResponse {
                    escalation: Some(talk::escalation(e, within)),
                    event: None,
                })
            })
            .collect();
        let mut record = CallRecord::new("WatchEscalations", deadline);
        let later = stream::unfold(changes, |mut changes| async move {
            let next = match changes.recv().await {
                Ok(notice) => Ok(notice),
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(_)) => {
                    let problem = "changes came faster than they were read; start the watch again";
                    Err(status::status(&Error::new(ErrorKind::Overloaded, problem)))
                }
            };
            Some((next, changes))
        });
        let later = later.filter_map(move |next| {
            let told = match next {
                Ok(notice) => filter.takes_change(&notice).then(|| Ok(watched(&notice))),
                Err(status) => Some(Err(status)),
            };
            std::future::ready(told)
        });
        let later = later.take_until(self.stop.clone().cancelled_owned()).chain(stopping(self.stop.clone()));
        let results = stream::iter(first).chain(later).map(move |result| {
            record.end_with(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
            result
        });
        Ok(Response::new(ended(results, deadline).boxed()))
    }

    async fn acknowledge_alert(
        &self,
        request: Request<v1::AcknowledgeAlertRequest>,
    ) -> Result<Response<v1::AcknowledgeAlertResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { self.acknowledge(request) };
        answered("AcknowledgeAlert", deadline(&extensions), work).await
    }

    async fn snooze_alert(
        &self,
        request: Request<v1::SnoozeAlertRequest>,
    ) -> Result<Response<v1::SnoozeAlertResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { self.snooze(request) };
        answered("SnoozeAlert", deadline(&extensions), work).await
    }

    async fn get_policy(
        &self,
        request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async { self.policy(request) };
        answered("GetPolicy", deadline(&extensions), work).await
    }
}

/// A change as a watcher gets it. Where it ranks is the list's business.
fn watched(notice: &Notice) -> v1::WatchEscalationsResponse {
    let escalation = &notice.escalation;
    v1::WatchEscalationsResponse {
        escalation: Some(talk::escalation(escalation, false)),
        event: Some(talk::alert_event(&escalation.key, notice.event.clone())),
    }
}
