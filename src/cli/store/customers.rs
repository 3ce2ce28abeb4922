//! `attune customers`: how customers stand, what they said, what was told of them, and their rights.

use std::path::Path;

use serde::Serialize;

use super::arguments::{
    CustomerOptions, CustomersCommand, CustomersListOptions, EraseOptions, SignalsOptions, StoreFormat,
    TimelineOptions,
};
use super::{PAGE, accounts, executor, export, json, profile, tell, timeline, write_json, write_out};
use crate::app::customers::{keeping, rewrite, standing_store};
use crate::config::Config;
use crate::error::Error;
use crate::lifecycle::{SignalKind, Stage};
use crate::pipeline::customers::upkeep;
use crate::pipeline::monitor::now_ms;
use crate::storage::{AuditRow, Counts, CustomerFilter, CustomerKey, Store};

pub(in crate::cli) fn run(command: &CustomersCommand, config: &Config) -> Result<(), Error> {
    executor()?.block_on(async {
        if let CustomersCommand::Import(options) = command {
            return accounts::run(options, config).await;
        }
        let store = standing_store(config).await?;
        match command {
            CustomersCommand::Get(options) => get(&*store, options).await,
            CustomersCommand::List(options) => list(&*store, options).await,
            CustomersCommand::Timeline(options) => timeline(&*store, options).await,
            CustomersCommand::Signals(options) => signals(&*store, options).await,
            CustomersCommand::Export(options) => export::run(&*store, options, config).await,
            CustomersCommand::Erase(options) => erase(&*store, options, config).await,
            CustomersCommand::Import(options) => accounts::run(options, config).await,
        }
    })
}

/// The customer that is meant.
pub(super) fn key(options: &CustomerOptions) -> CustomerKey {
    CustomerKey::new(options.tenant.tenant.as_str(), options.customer.as_str())
}

async fn get(store: &dyn Store, options: &CustomerOptions) -> Result<(), Error> {
    let held = store.customer(&key(options)).await?.ok_or_else(upkeep::unknown)?;
    let now = held.profile.at(now_ms());
    match options.form.format {
        StoreFormat::Json => write_json(&json::customer(&held, &now)?),
        StoreFormat::Text => write_out(profile::text(&held, &now).as_bytes()),
    }
}

async fn list(store: &dyn Store, options: &CustomersListOptions) -> Result<(), Error> {
    let mut filter = filter(options)?;
    let mut left = options.limit as usize;
    while left > 0 {
        filter.limit = left.min(PAGE);
        let page = store.customers(&filter).await?;
        for held in &page {
            match options.form.format {
                StoreFormat::Json => write_json(&json::customer(held, &held.profile)?)?,
                StoreFormat::Text => write_out(profile::line(held).as_bytes())?,
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        let risk = last.profile.leaving();
        filter.after = Some((risk, last.key.customer.clone()));
        left -= page.len();
    }
    Ok(())
}

fn filter(options: &CustomersListOptions) -> Result<CustomerFilter, Error> {
    let signal = |name: &String| {
        SignalKind::of_name(name).ok_or_else(|| {
            let names = SignalKind::ALL.map(SignalKind::name).join(", ");
            Error::invalid("--signal", format!("expected one of {names}"))
        })
    };
    let stage = |name: &String| {
        Stage::of_name(name).ok_or_else(|| {
            let names = Stage::ALL.map(Stage::name).join(", ");
            Error::invalid("--stage", format!("expected one of {names}"))
        })
    };
    Ok(CustomerFilter {
        tenant: options.tenant.tenant.clone(),
        signal: options.signal.as_ref().map(signal).transpose()?,
        stage: options.stage.as_ref().map(stage).transpose()?,
        churn_at_least: options.churn_at_least,
        level_at_most: options.level_at_most,
        after: None,
        limit: 0,
    })
}

async fn timeline(store: &dyn Store, options: &TimelineOptions) -> Result<(), Error> {
    let key = key(&options.customer);
    let (mut before, mut left) = (None, options.limit as usize);
    while left > 0 {
        let page = store.timeline(&key, before.clone(), left.min(PAGE)).await?;
        if page.is_empty() && before.is_none() && store.customer(&key).await?.is_none() {
            return Err(upkeep::unknown());
        }
        for entry in &page {
            match options.customer.form.format {
                StoreFormat::Json => write_json(&json::entry(entry))?,
                StoreFormat::Text => write_out(timeline::entry(entry).as_bytes())?,
            }
        }
        let Some(last) = page.last() else { return Ok(()) };
        before = Some((last.observation.at_ms, last.id.clone()));
        left -= page.len();
    }
    Ok(())
}

async fn signals(store: &dyn Store, options: &SignalsOptions) -> Result<(), Error> {
    let tenant = options.tenant.tenant.as_str();
    let key = options.customer.as_deref().map(|customer| CustomerKey::new(tenant, customer));
    let (mut after, mut left) = (options.after, options.limit as usize);
    while left > 0 {
        let limit = left.min(PAGE);
        let page = match &key {
            Some(key) => store.signals_of(key, after, limit).await?,
            None => store.signals(Some(tenant), after, limit).await?,
        };
        for row in &page.rows {
            match options.form.format {
                StoreFormat::Json => write_json(&json::signal(row))?,
                StoreFormat::Text => write_out(timeline::signal(row).as_bytes())?,
            }
        }
        if page.rows.is_empty() {
            return Ok(());
        }
        (after, left) = (page.next, left - page.rows.len());
    }
    Ok(())
}

/// What an erasure or an export leaves behind.
#[derive(Serialize)]
struct Receipt<'a> {
    rows: serde_json::Map<String, serde_json::Value>,
    at: String,
    actor: &'a str,
    subject: &'a str,
    audit_sequence: u64,
    audit_hash: &'a str,
}

/// Prints what was done, with its entry in the audit log. `file` is what was written.
pub(super) fn receipt(
    done: &str,
    (counts, row): &(Counts, AuditRow),
    format: StoreFormat,
    file: Option<&Path>,
) -> Result<(), Error> {
    if format == StoreFormat::Json {
        return write_json(&Receipt {
            rows: counts.iter().map(|(table, rows)| ((*table).to_owned(), (*rows).into())).collect(),
            at: super::time(row.entry.at_ms),
            actor: &row.entry.actor,
            subject: &row.entry.subject,
            audit_sequence: row.sequence,
            audit_hash: &row.hash,
        });
    }
    let rows: String = counts.iter().map(|(table, rows)| format!("  {table:<14} {rows:>8}\n")).collect();
    let total: u64 = counts.iter().map(|(_, rows)| rows).sum();
    let file = file.map(|path| format!(" to {}", path.display())).unwrap_or_default();
    let (sequence, hash) = (row.sequence, &row.hash);
    write_out(format!("{done} {total} rows{file}\n{rows}audit row {sequence}, hash {hash}\n").as_bytes())
}

async fn erase(store: &dyn Store, options: &EraseOptions, config: &Config) -> Result<(), Error> {
    let keeping = keeping(config).await?;
    let key = key(&options.customer);
    let erased = upkeep::erase(store, keeping.key(), &key, &options.actor, now_ms()).await?;
    receipt("erased", &erased, options.customer.form.format, None)?;
    if options.rewrite {
        tell("rewriting the tables; each is locked meanwhile\n");
        rewrite(config).await?;
        tell("the tables are rewritten\n");
    }
    Ok(())
}
