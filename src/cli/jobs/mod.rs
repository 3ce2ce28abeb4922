//! `attune jobs`: files that a running service scores.

mod arguments;
mod shown;

use std::io::{IsTerminal, Write};

use super::{executor, score_input, write_out};
use crate::api::grpc::client::Client;
use crate::api::grpc::{job_spec, status, v1};
use crate::error::Error;
use crate::jobs::service::{ReportSpec, Spec};
pub(super) use arguments::JobsCommand;
use arguments::{CreateOptions, JobsFormat, ListOptions, ServerOptions, StateName};

pub(super) fn run(command: &JobsCommand) -> Result<(), Error> {
    executor()?.block_on(async {
        match command {
            JobsCommand::Create(options) => create(options).await,
            JobsCommand::Get(options) => {
                let job = connect(&options.server).await?.job(&options.id).await?;
                show(&options.server, &job)
            }
            JobsCommand::List(options) => list(options).await,
            JobsCommand::Watch(options) => {
                watch(&options.server, connect(&options.server).await?, &options.id).await
            }
            JobsCommand::Cancel(options) => {
                let job = connect(&options.server).await?.cancel_job(&options.id).await?;
                show(&options.server, &job)
            }
        }
    })
}

async fn connect(options: &ServerOptions) -> Result<Client, Error> {
    Client::connect(&options.server).await
}

async fn create(options: &CreateOptions) -> Result<(), Error> {
    let request = v1::CreateJobRequest {
        spec: Some(job_spec(&spec(options)?)),
        idempotency_key: options.idempotency_key.clone().unwrap_or_default(),
    };
    let client = connect(&options.server).await?;
    let job = client.create_job(request).await?.job.unwrap_or_default();
    if options.watch {
        return watch(&options.server, client, &job.id).await;
    }
    show(&options.server, &job)
}

fn spec(options: &CreateOptions) -> Result<Spec, Error> {
    let read = &options.read;
    Ok(Spec {
        input: options.input.clone(),
        output: options.output.clone(),
        output_format: options.to.map(super::arguments::OutputName::format),
        byte_order_mark: options.bom,
        keep_formulas: options.no_escape_formulas,
        input_format: score_input::form("--from", options.from.as_deref())?,
        text_columns: read.text_column.clone(),
        id_column: read.id_column.clone(),
        score_column: read.score_column.clone(),
        language_column: read.language_column.clone(),
        time_column: read.time_column.clone(),
        no_detect: read.no_detect,
        delimiter: read.delimiter,
        encoding: read.encoding.clone(),
        sheet: read.sheet.clone(),
        language: read.language.clone(),
        scored_at: options.scored_at.clone(),
        report: options.report.clone().map(|uri| ReportSpec {
            uri,
            by_column: options.by.clone(),
            no_redact: options.no_redact,
        }),
        model: options.with_model.clone(),
    })
}

async fn list(options: &ListOptions) -> Result<(), Error> {
    let state = match options.state {
        None => v1::JobState::Unspecified,
        Some(StateName::Queued) => v1::JobState::Queued,
        Some(StateName::Running) => v1::JobState::Running,
        Some(StateName::Succeeded) => v1::JobState::Succeeded,
        Some(StateName::Failed) => v1::JobState::Failed,
        Some(StateName::Cancelled) => v1::JobState::Cancelled,
    };
    let client = connect(&options.server).await?;
    let (mut left, mut page_token) = (options.most, String::new());
    loop {
        let page_size = u32::try_from(left.min(1000)).unwrap_or_default();
        if page_size == 0 {
            return Ok(());
        }
        let page = client.jobs(v1::ListJobsRequest { state: state.into(), page_size, page_token }).await?;
        let lines = page.jobs.iter().map(|job| match options.server.format {
            JobsFormat::Text => Ok(shown::line(job)),
            JobsFormat::Json => shown::json(job),
        });
        write_out(lines.collect::<Result<String, Error>>()?.as_bytes())?;
        left = left.saturating_sub(page.jobs.len());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}

/// Shows each state as it comes: as a line that is written over on a terminal, as lines of JSON for programs.
async fn watch(options: &ServerOptions, client: Client, id: &str) -> Result<(), Error> {
    let mut states = client.watch_job(id).await?;
    let mut last = v1::Job::default();
    while let Some(job) = states.next().await? {
        match options.format {
            JobsFormat::Json => write_out(shown::json(&job)?.as_bytes())?,
            JobsFormat::Text => tell(&format!("\r\x1b[K{}", shown::progress(&job))),
        }
        last = job;
    }
    if options.format == JobsFormat::Text {
        tell("\r\x1b[K");
        write_out(shown::text(&last).as_bytes())?;
    }
    match last.error {
        Some(error) => {
            let field = if error.field.is_empty() { String::new() } else { format!("{}: ", error.field) };
            let kind = status::kind_of(error.code);
            Err(Error::new(kind, format!("the job has failed: {field}{}", error.message)))
        }
        None => Ok(()),
    }
}

fn show(options: &ServerOptions, job: &v1::Job) -> Result<(), Error> {
    let text = match options.format {
        JobsFormat::Text => shown::text(job),
        JobsFormat::Json => shown::json(job)?,
    };
    write_out(text.as_bytes())
}

/// Tells a person how far it is; nobody else wants to know.
fn tell(text: &str) {
    if std::io::stderr().is_terminal() {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
