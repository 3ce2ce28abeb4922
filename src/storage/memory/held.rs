//! The rows of one customer as JSON, with the columns that the tables of the other stores have.

use serde_json::{Value, json};

use super::{Letter, State, Tables};
use crate::error::Error;
use crate::storage::held::HeldTable;
use crate::storage::record::{CustomerKey, Record};

impl Tables {
    /// In the order of their places. Errors: none that can happen.
    pub(super) fn held(&self, key: &CustomerKey, table: HeldTable) -> Result<Vec<Value>, Error> {
        let Some(held) = self.customers.get(key) else { return Ok(Vec::new()) };
        let mut records: Vec<&Record> = held.records.iter().collect();
        records.sort_by(|a, b| (a.observation.at_ms, &a.id).cmp(&(b.observation.at_ms, &b.id)));
        let read = |text: &str| serde_json::from_str::<Value>(text).map_err(Error::internal);
        Ok(match table {
            HeldTable::Customers => vec![self.customer_row(key)],
            HeldTable::Interactions => records.into_iter().map(interaction).collect(),
            HeldTable::Assessments => {
                records.sort_by(|a, b| a.id.cmp(&b.id));
                let row = |r: &&Record| read(&r.assessment.body).map(|body| assessment(r, body));
                records.iter().map(row).collect::<Result<_, _>>()?
            }
            HeldTable::Conversations => records.into_iter().filter_map(conversation).collect(),
            HeldTable::Alerts => records.into_iter().flat_map(alerts).collect(),
            HeldTable::Signals => self.signal_rows(key),
            HeldTable::Outbox => {
                let of_key = |letter: &&Letter| {
                    (&letter.delivery.tenant, &letter.delivery.customer) == (&key.tenant, &key.customer)
                };
                let own = self.deliveries.values().filter(of_key);
                own.map(|letter| Ok(delivery(letter, read(&letter.delivery.event.body)?)))
                    .collect::<Result<_, Error>>()?
            }
        })
    }

    fn customer_row(&self, key: &CustomerKey) -> Value {
        let Some(held) = self.customers.get(key) else { return Value::Null };
        let active: Vec<&str> = held.memory.active().into_iter().map(|kind| kind.name()).collect();
        let churn = held.profile.leaving();
        json!({
            "tenant": key.tenant, "customer": key.customer, "account": held.account, "profile": held.profile,
            "memory": held.memory, "level": held.profile.level, "churn": churn, "stage": held.profile.stage,
            "active": active, "updated_ms": held.updated_ms,
        })
    }

    fn signal_rows(&self, key: &CustomerKey) -> Vec<Value> {
        let row = |row: &crate::storage::SignalRow| {
            json!({
                "sequence": row.cursor, "id": row.id, "tenant": key.tenant, "customer": key.customer,
                "kind": row.signal.kind, "at_ms": row.signal.at_ms, "body": row.signal,
            })
        };
        self.signals.iter().filter(|signal| signal.key == *key).map(row).collect()
    }
}

fn interaction(r: &Record) -> Value {
    json!({
        "id": r.id, "tenant": r.key.tenant, "customer": r.key.customer, "source": r.source,
        "external_id": r.external_id, "kind": r.kind, "channel": r.observation.channel,
        "at_ms": r.observation.at_ms, "received_ms": r.received_ms, "text": r.text.text, "text_hash": r.text.hash,
        "observation": r.observation,
    })
}

fn assessment(r: &Record, body: Value) -> Value {
    let a = &r.assessment;
    json!({
        "interaction": r.id, "model": a.model, "policy": a.policy, "tenant": r.key.tenant,
        "customer": r.key.customer, "status": a.status, "language": a.language, "score": a.score, "label": a.label,
        "emotion": a.emotion, "body": body, "scored_ms": a.scored_ms,
    })
}

fn conversation(r: &Record) -> Option<Value> {
    let c = r.conversation.as_ref()?;
    Some(json!({
        "interaction": r.id, "tenant": r.key.tenant, "customer": r.key.customer, "turns": c.turns, "tier": c.tier,
        "risk": c.risk, "recovered": c.recovered,
    }))
}

fn alerts(r: &Record) -> Vec<Value> {
    let alerts = r.conversation.iter().flat_map(|conversation| &conversation.alerts);
    let row = |alert: &crate::storage::AlertRecord| {
        json!({
            "interaction": r.id, "id": alert.id, "tenant": r.key.tenant, "customer": r.key.customer,
            "tier": alert.tier, "change": alert.change, "turn": alert.turn,
        })
    };
    alerts.map(row).collect()
}

fn delivery(letter: &Letter, body: Value) -> Value {
    let (d, event) = (&letter.delivery, &letter.delivery.event);
    let (state, due_ms, settled_ms) = match letter.state {
        State::Due(at_ms) => (0, at_ms, None),
        State::Done(at_ms) => (1, 0, Some(at_ms)),
        State::Dead(at_ms) => (2, 0, Some(at_ms)),
    };
    json!({
        "sequence": d.sequence, "id": event.id, "sink": event.sink, "tenant": d.tenant, "customer": d.customer,
        "kind": event.kind, "at_ms": event.at_ms, "body": body, "state": state, "due_ms": due_ms,
        "attempts": d.attempts, "error": d.error, "settled_ms": settled_ms,
    })
}
