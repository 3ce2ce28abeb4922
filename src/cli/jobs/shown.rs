//! Jobs for people, and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::super::paint::{BOLD, DIM, styled};
use crate::api::grpc::v1;
use crate::error::Error;
use crate::jobs::times::written_out as time;

/// A job in a list: id, state, how far, from where to where.
pub(super) fn line(job: &v1::Job) -> String {
    let spec = job.spec.clone().unwrap_or_default();
    let pad = " ".repeat(10_usize.saturating_sub(state(job).len()));
    let rows = job.totals.unwrap_or_default().read;
    format!(
        "{}  {}{pad} {rows:>9} rows  {}  {} → {}\n",
        job.id,
        styled(BOLD, state(job)),
        styled(DIM, &time(job.created_at_ms)),
        spec.input,
        spec.output
    )
}

/// How far a job is, on one line.
pub(super) fn progress(job: &v1::Job) -> String {
    let rows = job.totals.unwrap_or_default().read;
    let share = match job.bytes_total {
        0 => String::new(),
        total => format!(", {:.0} %", job.bytes_read as f64 / total as f64 * 100.0),
    };
    format!("{}: {rows} rows{share}", doing(job))
}

fn doing(job: &v1::Job) -> &'static str {
    match (job.state(), job.cancelling, job.publishing) {
        (v1::JobState::Running, true, _) => "running, going to be cancelled",
        (v1::JobState::Running, _, true) => "running, putting its results in place",
        _ => state(job),
    }
}

/// All that there is to say of a job.
pub(super) fn text(job: &v1::Job) -> String {
    let mut out = format!("{}  {}\n", styled(BOLD, &job.id), doing(job));
    let spec = job.spec.clone().unwrap_or_default();
    let mut row = |name: &str, value: &str| {
        // Writing into a String can't fail.
        let _ = writeln!(out, "  {} {value}", styled(DIM, &format!("{name:<10}")));
    };
    row("input", &spec.input);
    row("output", &spec.output);
    if let Some(report) = &spec.report {
        row("report", &report.uri);
    }
    if !job.idempotency_key.is_empty() {
        row("key", &job.idempotency_key);
    }
    let t = job.totals.unwrap_or_default();
    row("rows", &format!("{} read: {} written, {} quarantined", t.read, t.written, t.quarantined));
    row(
        "texts",
        &format!(
            "{} scored, {} empty, {} in other languages, {} refused; {} distinct",
            t.scored, t.empty, t.unsupported, t.refused, t.distinct
        ),
    );
    if job.bytes_total > 0 {
        row("bytes", &format!("{} of {} read", job.bytes_read, job.bytes_total));
    }
    row("created", &time(job.created_at_ms));
    for (name, at) in [("started", job.started_at_ms), ("finished", job.finished_at_ms)] {
        at.map(time).iter().for_each(|at| row(name, at));
    }
    job.notes.iter().for_each(|note| row("", note));
    if let Some(error) = &job.error {
        let field = if error.field.is_empty() { String::new() } else { format!("{}: ", error.field) };
        row("error", &format!("{field}{}", error.message));
    }
    out
}

fn state(job: &v1::Job) -> &'static str {
    match job.state() {
        v1::JobState::Queued => "queued",
        v1::JobState::Running => "running",
        v1::JobState::Succeeded => "succeeded",
        v1::JobState::Failed => "failed",
        v1::JobState::Cancelled => "cancelled",
        v1::JobState::Unspecified => "unknown",
    }
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    state: &'static str,
    input: &'a str,
    output: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    idempotency_key: &'a str,
    rows: Rows,
    bytes_read: u64,
    bytes_total: u64,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    cancelling: bool,
    publishing: bool,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure<'a>>,
}

#[derive(Serialize)]
struct Rows {
    read: u64,
    written: u64,
    quarantined: u64,
    scored: u64,
    empty: u64,
    unsupported: u64,
    refused: u64,
    distinct: u64,
}

#[derive(Serialize)]
struct Failure<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
}

/// A job as a line of JSON. Errors: none that can happen.
pub(super) fn json(job: &v1::Job) -> Result<String, Error> {
    let (spec, t) = (job.spec.clone().unwrap_or_default(), job.totals.unwrap_or_default());
    let line = Line {
        id: &job.id,
        state: state(job),
        input: &spec.input,
        output: &spec.output,
        report: spec.report.as_ref().map(|report| report.uri.as_str()),
        idempotency_key: &job.idempotency_key,
        rows: Rows {
            read: t.read,
            written: t.written,
            quarantined: t.quarantined,
            scored: t.scored,
            empty: t.empty,
            unsupported: t.unsupported,
            refused: t.refused,
            distinct: t.distinct,
        },
        bytes_read: job.bytes_read,
        bytes_total: job.bytes_total,
        created_at: time(job.created_at_ms),
        started_at: job.started_at_ms.map(time),
        finished_at: job.finished_at_ms.map(time),
        cancelling: job.cancelling,
        publishing: job.publishing,
        notes: &job.notes,
        error: job.error.as_ref().map(|error| Failure {
            code: error.code,
            message: &error.message,
            field: &error.field,
        }),
    };
    Ok(serde_json::to_string(&line).map_err(Error::internal)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> v1::Job {
        v1::Job {
            id: "7".into(),
            spec: Some(v1::JobSpec {
                input: "/in.csv".into(),
                output: "/out.csv".into(),
                ..Default::default()
            }),
            state: v1::JobState::Failed.into(),
            bytes_read: 1,
            bytes_total: 4,
            created_at_ms: 1_767_225_600_123,
            error: Some(v1::JobError { code: 5, message: "gone".into(), field: "spec.input".into() }),
            ..Default::default()
        }
    }

    #[test]
    fn a_job_is_shown_with_its_state_places_times_and_error() {
        let text = text(&job());
        for part in
            ["failed", "/in.csv", "/out.csv", "2026-01-01T00:00:00Z", "spec.input: gone", "1 of 4 read"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(line(&job()).contains("/in.csv → /out.csv"));
        let running = v1::Job { state: v1::JobState::Running.into(), publishing: true, ..job() };
        assert_eq!(progress(&running), "running, putting its results in place: 0 rows, 25 %");
        let json: serde_json::Value = serde_json::from_str(&json(&job()).unwrap()).unwrap();
        assert_eq!(json["state"], "failed");
        assert_eq!(json["error"]["field"], "spec.input");
        assert_eq!(json["created_at"], "2026-01-01T00:00:00Z");
    }
}
