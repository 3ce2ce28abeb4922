//! `attune outbox`: events that were given up.

use std::fmt::Write;

use serde::Serialize;

use super::super::paint::{BOLD, DIM, styled, visible};
use super::arguments::{FormatOptions, OutboxCommand, OutboxListOptions, OutboxReplayOptions, StoreFormat};
use super::{PAGE, executor, time, write_json, write_out};
use crate::app::customers::standing_store;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::pipeline::customers::upkeep::{REPLAYED, replay as replay_dead};
use crate::pipeline::monitor::now_ms;
use crate::storage::{DeadFilter, Delivery, Store};

pub(in crate::cli) fn run(command: &OutboxCommand, config: &Config) -> Result<(), Error> {
    executor()?.block_on(async {
        if let OutboxCommand::Replay(options) = command {
            check_selected(options)?;
        }
        let store = standing_store(config).await?;
        match command {
            OutboxCommand::List(options) => list(&*store, options).await,
            OutboxCommand::Status(options) => status(&*store, options).await,
            OutboxCommand::Show(options) => show(&*store, options.sequence).await,
            OutboxCommand::Replay(options) => replay(&*store, options).await,
        }
    })
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    sink: &'a str,
    kind: &'a str,
    event_id: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    attempts: u32,
    error: Option<&'a str>,
    occurred_at: String,
}

impl<'a> Line<'a> {
    fn of(dead: &'a Delivery, show_customer: bool) -> Self {
        Self {
            sequence: dead.sequence,
            sink: &dead.event.sink,
            kind: &dead.event.kind,
            event_id: &dead.event.id,
            tenant: &dead.tenant,
            customer: show_customer.then_some(dead.customer.as_str()),
            attempts: dead.attempts,
            error: dead.error.as_deref(),
            occurred_at: time(dead.event.at_ms),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{:>8}  {}  {}  {}  {}",
            self.sequence,
            styled(DIM, &self.occurred_at),
            styled(BOLD, self.sink),
            self.kind,
            styled(DIM, self.event_id)
        );
        // Writing into a String can't fail.
        if let Some(customer) = self.customer {
            let _ = write!(text, "  {}", visible(customer));
        }
        let error = visible(self.error.unwrap_or("nothing was said"));
        let _ = writeln!(text, "\n          {} attempts: {error}", self.attempts);
        text
    }
}

async fn list(store: &dyn Store, options: &OutboxListOptions) -> Result<(), Error> {
    let (mut after, mut left) = (options.after, options.limit as usize);
    while left > 0 {
        let filter = DeadFilter { sink: options.sink.clone(), sequence: None, after, limit: left.min(PAGE) };
        let page = store.dead(&filter).await?;
        for dead in &page {
            let line = Line::of(dead, options.show_customer);
            match options.form.format {
                StoreFormat::Json => write_json(&line)?,
                StoreFormat::Text => write_out(line.text().as_bytes())?,
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        (after, left) = (last.sequence, left - page.len());
    }
    Ok(())
}

#[derive(Serialize)]
struct Backlog<'a> {
    sink: &'a str,
    waiting: u64,
    given_up: u64,
}

async fn status(store: &dyn Store, options: &FormatOptions) -> Result<(), Error> {
    let backlog = store.backlog().await?;
    if backlog.is_empty() && options.format == StoreFormat::Text {
        return write_out(b"nothing waits, and nothing was given up\n");
    }
    for (sink, waiting, given_up) in &backlog {
        let line = Backlog { sink, waiting: *waiting, given_up: *given_up };
        match options.format {
            StoreFormat::Json => write_json(&line)?,
            StoreFormat::Text => {
                let name = styled(BOLD, sink);
                write_out(format!("{name}  {waiting} waiting, {given_up} given up\n").as_bytes())?;
            }
        }
    }
    Ok(())
}

/// The event as it would be sent, in lines that can be read.
async fn show(store: &dyn Store, sequence: u64) -> Result<(), Error> {
    let filter = DeadFilter { sequence: Some(sequence), limit: 1, ..DeadFilter::default() };
    let found = store.dead(&filter).await?;
    let dead = found.first().ok_or_else(|| {
        let message =
            format!("no event that was given up has the sequence {sequence}; attune outbox list has them");
        Error::new(ErrorKind::NotFound, message)
    })?;
    let body: serde_json::Value = serde_json::from_str(&dead.event.body).map_err(Error::internal)?;
    write_out((serde_json::to_string_pretty(&body).map_err(Error::internal)? + "\n").as_bytes())
}

fn check_selected(options: &OutboxReplayOptions) -> Result<(), Error> {
    if options.all || options.sink.is_some() || options.sequence.is_some() {
        return Ok(());
    }
    let message = "say which events: --sink NAME, --sequence SEQUENCE, or --all";
    Err(Error::new(ErrorKind::InvalidInput, message))
}

#[derive(Serialize)]
struct Replayed {
    events: u64,
    audit_sequence: u64,
    audit_hash: String,
}

async fn replay(store: &dyn Store, options: &OutboxReplayOptions) -> Result<(), Error> {
    let filter =
        DeadFilter { sink: options.sink.clone(), sequence: options.sequence, ..DeadFilter::default() };
    let (events, row) = replay_dead(store, &filter, &options.actor, now_ms()).await?;
    match options.form.format {
        StoreFormat::Json => {
            write_json(&Replayed { events, audit_sequence: row.sequence, audit_hash: row.hash })
        }
        StoreFormat::Text => {
            let more = if events == REPLAYED as u64 { "; there may be more: ask again" } else { "" };
            write_out(format!("{events} events wait again{more} (audit row {})\n", row.sequence).as_bytes())
        }
    }
}
