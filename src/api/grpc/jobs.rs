//! `JobService`: files that are scored.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use super::calls::{CallRecord, answered, deadline, ended, stopping};
use super::paging::{cut, page_size, wrong_token};
use super::v1::job_service_server::JobService;
use super::{convert_conversation as talk, convert_jobs as convert, status, v1};
use crate::error::{Error, ErrorKind};
use crate::jobs::service::{Jobs, Record};
use crate::pipeline::Models;

/// Most jobs on a page.
const PAGE_MOST: usize = 1000;
/// Least time between two states that a watcher gets: what came in between is told with the next one.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// Serves the jobs, or says that there are none.
#[derive(Clone)]
pub struct JobApi {
    jobs: Option<Jobs>,
    models: Models,
    stop: CancellationToken,
}

impl JobApi {
    /// `None` where jobs are not set up; `stop` ends watches.
    pub fn new(jobs: Option<Jobs>, models: Models, stop: CancellationToken) -> Self {
        Self { jobs, models, stop }
    }

    fn jobs(&self) -> Result<&Jobs, Error> {
        self.jobs.as_ref().ok_or_else(|| {
            let problem = "this service runs no jobs: set jobs.directory to a directory in which it may keep them, and \
                           list in jobs.directories or jobs.buckets what they may read and write";
            Error::new(ErrorKind::Precondition, problem)
        })
    }

    async fn create(&self, request: v1::CreateJobRequest) -> Result<v1::CreateJobResponse, Error> {
        let jobs = self.jobs()?;
        let spec = request.spec.ok_or_else(|| Error::invalid("spec", "is missing"))?;
        self.models.get(&spec.model)?;
        let key = talk::id(request.idempotency_key, "idempotency_key")?;
        let (job, created) = jobs.create(convert::spec(spec)?, key).await?;
        Ok(v1::CreateJobResponse { job: Some(convert::job(&job)), created })
    }

    fn list(&self, request: &v1::ListJobsRequest) -> Result<v1::ListJobsResponse, Error> {
        let state = convert::state(request.state)?;
        let size = page_size(request.page_size, PAGE_MOST)?;
        let before = (!request.page_token.is_empty()).then(|| request.page_token.parse());
        let before = before.transpose().map_err(|_| wrong_token())?;
        let mut page = self.jobs()?.list(state, before, size + 1);
        let next_page_token = cut(&mut page, size, |job| job.sequence.to_string());
        Ok(v1::ListJobsResponse { jobs: page.iter().map(|job| convert::job(job)).collect(), next_page_token })
    }
}

#[tonic::async_trait]
impl JobService for JobApi {
    async fn create_job(
        &self,
        request: Request<v1::CreateJobRequest>,
    ) -> Result<Response<v1::CreateJobResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("CreateJob", deadline(&extensions), self.create(request)).await
    }

    async fn get_job(
        &self,
        request: Request<v1::GetJobRequest>,
    ) -> Result<Response<v1::GetJobResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async {
            let job = self.jobs()?.get(&request.id)?;
            Ok(v1::GetJobResponse { job: Some(convert::job(&job)) })
        };
        answered("GetJob", deadline(&extensions), work).await
    }

    async fn list_jobs(
        &self,
        request: Request<v1::ListJobsRequest>,
    ) -> Result<Response<v1::ListJobsResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        answered("ListJobs", deadline(&extensions), async { self.list(&request) }).await
    }

    async fn cancel_job(
        &self,
        request: Request<v1::CancelJobRequest>,
    ) -> Result<Response<v1::CancelJobResponse>, Status> {
        let (_, extensions, request) = request.into_parts();
        let work = async {
            let job = self.jobs()?.cancel(&request.id).await?;
            Ok(v1::CancelJobResponse { job: Some(convert::job(&job)) })
        };
        answered("CancelJob", deadline(&extensions), work).await
    }

    type WatchJobStream = BoxStream<'static, Result<v1::WatchJobResponse, Status>>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Result<Response<Self::WatchJobStream>, Status> {
        let (_, extensions, request) = request.into_parts();
        let deadline = deadline(&extensions);
        let watched = self.jobs().and_then(|jobs| jobs.watch(&request.id)).map_err(|e| status::status(&e))?;
        let mut record = CallRecord::new("WatchJob", deadline);
        let results = states(watched, |job: &Arc<Record>| job.state.is_final())
            .map(|job| Ok(v1::WatchJobResponse { job: Some(convert::job(&job)) }))
            .take_until(self.stop.clone().cancelled_owned());
        let results = unless_over(results, self.stop.clone()).map(move |result| {
            record.end_with(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
            result
        });
        Ok(Response::new(ended(results, deadline).boxed()))
    }
}

/// The state now, then each later one that there is time for, up to one in which nothing will change any more.
fn states<T: Clone + Send + Sync + 'static>(
    watched: watch::Receiver<T>,
    is_final: fn(&T) -> bool,
) -> impl stream::Stream<Item = T> + Send {
    // When the next one may go out; `None` at the end.
    let begin = Some((watched, Instant::now(), true));
    stream::unfold(begin, move |state| async move {
        let (mut watched, at, first) = state?;
        if !first && watched.changed().await.is_err() {
            return None;
        }
        // News of the end waits for nothing.
        let _ = tokio::time::timeout_at(at, watched.wait_for(is_final)).await.map(drop);
        let state = watched.borrow_and_update().clone();
        let next = (!is_final(&state)).then(|| (watched, Instant::now() + WATCH_EVERY, false));
        Some((state, next))
    })
}

/// A stream that has said how the job ended is over; another one ends with what a stop means.
fn unless_over(
    results: impl stream::Stream<Item = Result<v1::WatchJobResponse, Status>> + Send + 'static,
    stop: CancellationToken,
) -> impl stream::Stream<Item = Result<v1::WatchJobResponse, Status>> + Send + 'static {
    let over = |result: &Result<v1::WatchJobResponse, Status>| {
        let state = result.as_ref().ok().and_then(|answer| Some(answer.job.as_ref()?.state()));
        matches!(state, Some(v1::JobState::Succeeded | v1::JobState::Failed | v1::JobState::Cancelled))
    };
    let mut done = false;
    results.chain(stopping(stop)).take_while(move |result| {
        let go_on = !done;
        done |= over(result);
        std::future::ready(go_on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_watcher_gets_the_latest_state_now_and_then_and_the_last_one_at_once() {
        let (tell, watched) = watch::channel(0_u32);
        let mut states = Box::pin(states(watched, |state| *state >= 100));
        assert_eq!(states.next().await, Some(0));
        for state in 1..10 {
            tell.send_replace(state);
        }
        // What it has missed is not told.
        let before = Instant::now();
        assert_eq!(states.next().await, Some(9));
        assert!(before.elapsed() >= WATCH_EVERY);
        tell.send_replace(10);
        let (second, before) = (tell.clone(), Instant::now());
        let later = tokio::spawn(async move { second.send_replace(100) });
        assert_eq!(states.next().await, Some(100));
        assert!(before.elapsed() < WATCH_EVERY);
        assert_eq!(states.next().await, None);
        later.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_ends_when_nobody_can_tell_any_more() {
        let (tell, watched) = watch::channel(0_u32);
        let mut states = Box::pin(states(watched, |state| *state >= 100));
        assert_eq!(states.next().await, Some(0));
        drop(tell);
        assert_eq!(states.next().await, None);
    }
}
