//! Interactions and what follows from them, row by row in one transaction.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, unavailable};
use crate::error::Error;
use crate::lifecycle::{Account, Signal, Stage};
use crate::storage::customer::{CustomerState, Decision, REMEMBERED};
use crate::storage::form;
use crate::storage::port::Decide;
use crate::storage::record::{ConversationRecord, CustomerKey, Record, Recorded};

impl SqliteStore {
    pub(super) async fn record_all(
        &self,
        records: &[Record],
        decide: &dyn Decide,
    ) -> Result<Vec<Recorded>, Error> {
        let mut transaction = self.begin().await?;
        let mut answers = Vec::with_capacity(records.len());
        let mut added = BTreeMap::<&CustomerKey, Vec<&Record>>::new();
        for record in records {
            let new = add(&mut transaction, record).await?;
            answers.push(Recorded { id: record.id.clone(), new, signals: Vec::new() });
            if new {
                added.entry(&record.key).or_default().push(record);
            }
        }
        for (key, own) in added {
            let now_ms = own.iter().map(|r| r.received_ms).max().unwrap_or_default();
            for signal in settle(&mut transaction, key, &own, now_ms, decide).await? {
                if let Some(answer) = answers.iter_mut().find(|a| a.new && a.id == signal.cause) {
                    answer.signals.push(signal);
                }
            }
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(answers)
    }

    pub(super) async fn import_all(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        for (key, account) in accounts {
            let query = "INSERT INTO customers (tenant, customer, account, updated_ms) VALUES (?1, ?2, ?3, ?4) \
                         ON CONFLICT (tenant, customer) DO UPDATE SET account = excluded.account";
            sqlx::query(query)
                .bind(&key.tenant)
                .bind(&key.customer)
                .bind(form::write(account)?)
                .bind(now_ms)
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
            settle(&mut transaction, key, &[], now_ms, decide).await?;
        }
        transaction.commit().await.map_err(unavailable)
    }
}

/// Keeps a record that is neither known nor older than its customer's erasure.
async fn add(connection: &mut SqliteConnection, record: &Record) -> Result<bool, Error> {
    let query = "INSERT INTO interactions (id, tenant, customer, source, external_id, kind, channel, at_ms, \
                 received_ms, text, text_hash, observation) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 \
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE tenant = ?2 AND mark = ?13 AND at_ms >= ?8) \
                 ON CONFLICT (id) DO NOTHING";
    let inserted = sqlx::query(query)
        .bind(&record.id)
        .bind(&record.key.tenant)
        .bind(&record.key.customer)
        .bind(&record.source)
        .bind(&record.external_id)
        .bind(record.kind)
        .bind(&record.observation.channel)
        .bind(record.observation.at_ms)
        .bind(record.received_ms)
        .bind(&record.text.text)
        .bind(&record.text.hash)
        .bind(form::write(&record.observation)?)
        .bind(&record.mark)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    add_assessment(connection, record).await?;
    if let Some(conversation) = &record.conversation {
        add_conversation(connection, record, conversation).await?;
    }
    Ok(true)
}

async fn add_assessment(connection: &mut SqliteConnection, record: &Record) -> Result<(), Error> {
    let assessment = &record.assessment;
    let query = "INSERT INTO assessments (interaction, model, policy, tenant, customer, status, language, score, label, \
                 emotion, body, scored_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    sqlx::query(query)
        .bind(&record.id)
        .bind(&assessment.model)
        .bind(&assessment.policy)
        .bind(&record.key.tenant)
        .bind(&record.key.customer)
        .bind(&assessment.status)
        .bind(&assessment.language)
        .bind(assessment.score)
        .bind(&assessment.label)
        .bind(&assessment.emotion)
        .bind(&assessment.body)
        .bind(assessment.scored_ms)
        .execute(connection)
        .await
        .map(drop)
        .map_err(unavailable)
}

async fn add_conversation(
    connection: &mut SqliteConnection,
    record: &Record,
    conversation: &ConversationRecord,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO conversations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(&record.id)
        .bind(&record.key.tenant)
        .bind(&record.key.customer)
        .bind(conversation.turns)
        .bind(&conversation.tier)
        .bind(conversation.risk)
        .bind(conversation.recovered)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    for alert in &conversation.alerts {
        sqlx::query("INSERT INTO alerts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING")
            .bind(&record.id)
            .bind(&alert.id)
            .bind(&record.key.tenant)
            .bind(&record.key.customer)
            .bind(&alert.tier)
            .bind(&alert.change)
            .bind(alert.turn)
            .execute(&mut *connection)
            .await
            .map_err(unavailable)?;
    }
    Ok(())
}

/// Decides anew upon a customer, and writes what follows.
async fn settle(
    connection: &mut SqliteConnection,
    key: &CustomerKey,
    added: &[&Record],
    now_ms: i64,
    decide: &dyn Decide,
) -> Result<Vec<Signal>, Error> {
    let state = state(connection, key).await?;
    let Decision { profile, memory, signals, events } = decide.decide(key, &state, added)?;
    let active: Vec<&str> = memory.active().iter().map(|kind| kind.name()).collect();
    let query = "INSERT INTO customers (tenant, customer, profile, memory, level, churn, stage, active, updated_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, customer) DO UPDATE SET \
                 profile = excluded.profile, memory = excluded.memory, level = excluded.level, churn = excluded.churn, \
                 stage = excluded.stage, active = excluded.active, updated_ms = max(updated_ms, excluded.updated_ms)";
    sqlx::query(query)
        .bind(&key.tenant)
        .bind(&key.customer)
        .bind(form::write(&profile)?)
        .bind(form::write(&memory)?)
        .bind(profile.level)
        .bind(profile.leaving())
        .bind(profile.stage.map(Stage::name))
        .bind(active.join(","))
        .bind(now_ms)
        .execute(&mut *connection)
        .await
        .map_err(unavailable)?;
    for (id, signal) in &signals {
        let query = "INSERT INTO signals (id, tenant, customer, kind, at_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT (id) DO NOTHING";
        sqlx::query(query)
            .bind(id)
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(signal.kind.name())
            .bind(signal.at_ms)
            .bind(form::write(signal)?)
            .execute(&mut *connection)
            .await
            .map_err(unavailable)?;
    }
    for event in events {
        let query = "INSERT INTO outbox (id, sink, tenant, customer, kind, at_ms, body) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (sink, id) DO NOTHING";
        sqlx::query(query)
            .bind(&event.id)
            .bind(&event.sink)
            .bind(&key.tenant)
            .bind(&key.customer)
            .bind(&event.kind)
            .bind(event.at_ms)
            .bind(&event.body)
            .execute(&mut *connection)
            .await
            .map_err(unavailable)?;
    }
    Ok(signals.into_iter().map(|(_, signal)| signal).collect())
}

async fn state(connection: &mut SqliteConnection, key: &CustomerKey) -> Result<CustomerState, Error> {
    let mut state = CustomerState::default();
    let held = sqlx::query("SELECT account, memory FROM customers WHERE tenant = ?1 AND customer = ?2")
        .bind(&key.tenant)
        .bind(&key.customer)
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    if let Some(row) = held {
        state.account = form::read(row.get::<&str, _>(0))?;
        state.memory = form::read_or_default(row.get::<Option<&str>, _>(1))?;
    }
    let query = "SELECT observation FROM interactions WHERE tenant = ?1 AND customer = ?2 \
                 ORDER BY at_ms DESC, id DESC LIMIT ?3";
    let rows = sqlx::query(query)
        .bind(&key.tenant)
        .bind(&key.customer)
        .bind(REMEMBERED as i64)
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    for row in rows.iter().rev() {
        state.observations.push(form::read(row.get::<&str, _>(0))?);
    }
    Ok(state)
}
