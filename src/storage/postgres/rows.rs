//! Rows as arrays of columns: one statement per table, whatever the number of rows.

use std::collections::{HashMap, HashSet};

use sqlx::{Postgres, Row, Transaction};

use crate::error::Error;
use crate::lifecycle::Account;
use crate::storage::customer::Decision;
use crate::storage::form;
use crate::storage::record::{CustomerKey, Record};

use super::SIGNALS_LOCK;
use super::record::Failed;

type Tx<'a> = Transaction<'a, Postgres>;

/// A column of an array of records.
macro_rules! column {
    ($rows:expr, $of:expr) => {
        $rows.iter().map($of).collect::<Vec<_>>()
    };
}

/// Inserts interactions; the ids of those that were not there.
pub(super) async fn insert_interactions(
    transaction: &mut Tx<'_>,
    records: &[&Record],
) -> Result<HashSet<String>, Failed> {
    let observations: Result<Vec<String>, Error> =
        records.iter().map(|record| form::write(&record.observation)).collect();
    let query = "INSERT INTO interactions (id, tenant, customer, source, external_id, kind, channel, at_ms, \
                 received_ms, text, text_hash, observation) SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], \
                 $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[], \
                 $12::text[]) ON CONFLICT (id) DO NOTHING RETURNING id";
    let rows = sqlx::query(query)
        .bind(column!(records, |r| r.id.as_str()))
        .bind(column!(records, |r| r.key.tenant.as_str()))
        .bind(column!(records, |r| r.key.customer.as_str()))
        .bind(column!(records, |r| r.source.as_str()))
        .bind(column!(records, |r| r.external_id.as_str()))
        .bind(column!(records, |r| r.kind))
        .bind(column!(records, |r| r.observation.channel.as_str()))
        .bind(column!(records, |r| r.observation.at_ms))
        .bind(column!(records, |r| r.received_ms))
        .bind(column!(records, |r| r.text.text.as_deref()))
        .bind(column!(records, |r| r.text.hash.as_deref()))
        .bind(observations?)
        .fetch_all(&mut **transaction)
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Inserts what was read in interactions.
pub(super) async fn insert_readings(transaction: &mut Tx<'_>, records: &[&Record]) -> Result<(), Failed> {
    if records.is_empty() {
        return Ok(());
    }
    let query = "INSERT INTO assessments (interaction, model, policy, tenant, customer, status, language, score, label, \
                 emotion, body, scored_ms) SELECT interaction, model, policy, tenant, customer, status, language, score, \
                 label, emotion, body::jsonb, scored_ms FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], \
                 $5::text[], $6::text[], $7::text[], $8::double precision[], $9::text[], $10::text[], $11::text[], \
                 $12::bigint[]) AS a(interaction, model, policy, tenant, customer, status, language, score, label, emotion, \
                 body, scored_ms) ON CONFLICT DO NOTHING";
    sqlx::query(query)
        .bind(column!(records, |r| r.id.as_str()))
        .bind(column!(records, |r| r.assessment.model.as_str()))
        .bind(column!(records, |r| r.assessment.policy.as_str()))
        .bind(column!(records, |r| r.key.tenant.as_str()))
        .bind(column!(records, |r| r.key.customer.as_str()))
        .bind(column!(records, |r| r.assessment.status.as_str()))
        .bind(column!(records, |r| r.assessment.language.as_deref()))
        .bind(column!(records, |r| r.assessment.score))
        .bind(column!(records, |r| r.assessment.label.as_deref()))
        .bind(column!(records, |r| r.assessment.emotion.as_deref()))
        .bind(column!(records, |r| r.assessment.body.as_str()))
        .bind(column!(records, |r| r.assessment.scored_ms))
        .execute(&mut **transaction)
        .await?;
    insert_conversations(transaction, records).await
}

async fn insert_conversations(transaction: &mut Tx<'_>, records: &[&Record]) -> Result<(), Failed> {
    let held: Vec<_> = records.iter().filter_map(|r| Some((*r, r.conversation.as_ref()?))).collect();
    if held.is_empty() {
        return Ok(());
    }
    let query = "INSERT INTO conversations (interaction, tenant, customer, turns, tier, risk, recovered) \
                 SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], \
                 $6::double precision[], $7::boolean[]) ON CONFLICT DO NOTHING";
    sqlx::query(query)
        .bind(column!(held, |(r, _)| r.id.as_str()))
        .bind(column!(held, |(r, _)| r.key.tenant.as_str()))
        .bind(column!(held, |(r, _)| r.key.customer.as_str()))
        .bind(column!(held, |(_, c)| c.turns.cast_signed()))
        .bind(column!(held, |(_, c)| c.tier.as_str()))
        .bind(column!(held, |(_, c)| c.risk))
        .bind(column!(held, |(_, c)| c.recovered))
        .execute(&mut **transaction)
        .await?;
    let alerts: Vec<_> =
        held.iter().flat_map(|(r, c)| c.alerts.iter().map(move |alert| (*r, alert))).collect();
    let query = "INSERT INTO alerts (interaction, id, tenant, customer, tier, change, turn) \
                 SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
                 $7::integer[]) ON CONFLICT DO NOTHING";
    sqlx::query(query)
        .bind(column!(alerts, |(r, _)| r.id.as_str()))
        .bind(column!(alerts, |(_, a)| a.id.as_str()))
        .bind(column!(alerts, |(r, _)| r.key.tenant.as_str()))
        .bind(column!(alerts, |(r, _)| r.key.customer.as_str()))
        .bind(column!(alerts, |(_, a)| a.tier.as_str()))
        .bind(column!(alerts, |(_, a)| a.change.as_str()))
        .bind(column!(alerts, |(_, a)| a.turn.cast_signed()))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Takes over what a CRM says.
pub(super) async fn set_accounts(
    transaction: &mut Tx<'_>,
    accounts: &HashMap<&CustomerKey, &Account>,
) -> Result<(), Failed> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (key, account) in accounts {
        columns.0.push(key.tenant.as_str());
        columns.1.push(key.customer.as_str());
        columns.2.push(form::write(account)?);
    }
    let query = "UPDATE customers c SET account = u.account::jsonb \
                 FROM UNNEST($1::text[], $2::text[], $3::text[]) AS u(tenant, customer, account) \
                 WHERE c.tenant = u.tenant AND c.customer = u.customer";
    sqlx::query(query).bind(columns.0).bind(columns.1).bind(columns.2).execute(&mut **transaction).await?;
    Ok(())
}

/// What was decided, as rows.
#[derive(Default)]
pub(super) struct Decisions {
    customers: Vec<CustomerRow>,
    signals: Vec<SignalRow>,
    events: Vec<EventRow>,
}

struct CustomerRow {
    key: CustomerKey,
    profile: String,
    memory: String,
    level: Option<f64>,
    churn: f64,
    stage: Option<&'static str>,
    /// Names, with commas between: arrays of arrays have to be of one length.
    active: String,
    updated_ms: i64,
}

struct SignalRow {
    key: CustomerKey,
    id: String,
    kind: &'static str,
    at_ms: i64,
    body: String,
}

struct EventRow {
    key: CustomerKey,
    event: crate::storage::OutboxEvent,
}

impl Decisions {
    pub(super) fn push(&mut self, key: &CustomerKey, decision: Decision, now_ms: i64) -> Result<(), Error> {
        let Decision { profile, memory, signals, events } = decision;
        let active: Vec<&str> = memory.active().iter().map(|kind| kind.name()).collect();
        self.customers.push(CustomerRow {
            key: key.clone(),
            profile: form::write(&profile)?,
            memory: form::write(&memory)?,
            level: profile.level,
            churn: profile.leaving(),
            stage: profile.stage.map(crate::lifecycle::Stage::name),
            active: active.join(","),
            updated_ms: now_ms,
        });
        for (id, signal) in signals {
            let (kind, at_ms, body) = (signal.kind.name(), signal.at_ms, form::write(&signal)?);
            self.signals.push(SignalRow { key: key.clone(), id, kind, at_ms, body });
        }
        self.events.extend(events.into_iter().map(|event| EventRow { key: key.clone(), event }));
        Ok(())
    }

    pub(super) async fn write(&self, transaction: &mut Tx<'_>) -> Result<(), Failed> {
        self.write_customers(transaction).await?;
        self.write_events(transaction).await?;
        // Last, since the lock on the log is held from here to the end of the transaction.
        self.write_signals(transaction).await
    }

    async fn write_customers(&self, transaction: &mut Tx<'_>) -> Result<(), Failed> {
        let rows = &self.customers;
        let query = "UPDATE customers c SET profile = u.profile::jsonb, memory = u.memory, level = u.level, \
                     churn = u.churn, stage = u.stage, active = string_to_array(u.active, ','), \
                     updated_ms = GREATEST(c.updated_ms, u.updated_ms) \
                     FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::double precision[], \
                     $6::double precision[], $7::text[], $8::text[], $9::bigint[]) \
                     AS u(tenant, customer, profile, memory, level, churn, stage, active, updated_ms) \
                     WHERE c.tenant = u.tenant AND c.customer = u.customer";
        sqlx::query(query)
            .bind(column!(rows, |r| r.key.tenant.as_str()))
            .bind(column!(rows, |r| r.key.customer.as_str()))
            .bind(column!(rows, |r| r.profile.as_str()))
            .bind(column!(rows, |r| r.memory.as_str()))
            .bind(column!(rows, |r| r.level))
            .bind(column!(rows, |r| r.churn))
            .bind(column!(rows, |r| r.stage))
            .bind(column!(rows, |r| r.active.as_str()))
            .bind(column!(rows, |r| r.updated_ms))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    async fn write_signals(&self, transaction: &mut Tx<'_>) -> Result<(), Failed> {
        let rows = &self.signals;
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(SIGNALS_LOCK)
            .execute(&mut **transaction)
            .await?;
        let query = "INSERT INTO signals (id, tenant, customer, kind, at_ms, body) \
                     SELECT id, tenant, customer, kind, at_ms, body::jsonb FROM UNNEST($1::text[], $2::text[], \
                     $3::text[], $4::text[], $5::bigint[], $6::text[]) WITH ORDINALITY \
                     AS s(id, tenant, customer, kind, at_ms, body, n) ORDER BY n ON CONFLICT (id) DO NOTHING";
        sqlx::query(query)
            .bind(column!(rows, |r| r.id.as_str()))
            .bind(column!(rows, |r| r.key.tenant.as_str()))
            .bind(column!(rows, |r| r.key.customer.as_str()))
            .bind(column!(rows, |r| r.kind))
            .bind(column!(rows, |r| r.at_ms))
            .bind(column!(rows, |r| r.body.as_str()))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    async fn write_events(&self, transaction: &mut Tx<'_>) -> Result<(), Failed> {
        let rows = &self.events;
        if rows.is_empty() {
            return Ok(());
        }
        let query = "INSERT INTO outbox (id, sink, tenant, customer, kind, at_ms, body) \
                     SELECT id, sink, tenant, customer, kind, at_ms, body FROM UNNEST($1::text[], $2::text[], \
                     $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[]) WITH ORDINALITY \
                     AS o(id, sink, tenant, customer, kind, at_ms, body, n) ORDER BY n \
                     ON CONFLICT (sink, id) DO NOTHING";
        sqlx::query(query)
            .bind(column!(rows, |r| r.event.id.as_str()))
            .bind(column!(rows, |r| r.event.sink.as_str()))
            .bind(column!(rows, |r| r.key.tenant.as_str()))
            .bind(column!(rows, |r| r.key.customer.as_str()))
            .bind(column!(rows, |r| r.event.kind.as_str()))
            .bind(column!(rows, |r| r.event.at_ms))
            .bind(column!(rows, |r| r.event.body.as_str()))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}
