//! Questions, and rows turned into values.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::Error;
use crate::lifecycle::SignalKind;
use crate::storage::customer::{Customer, SignalRow, TimelineEntry};
use crate::storage::form;
use crate::storage::record::{AssessmentRecord, ConversationRecord, CustomerKey, KeptText};

pub(super) const CUSTOMER: &str = "SELECT tenant, customer, account, profile, active, updated_ms \
    FROM customers WHERE tenant = ?1 AND customer = ?2 AND profile IS NOT NULL";

pub(super) const CUSTOMERS: &str = "SELECT tenant, customer, account, profile, active, updated_ms \
    FROM customers WHERE tenant = ?1 AND profile IS NOT NULL \
    AND (?2 IS NULL OR instr(',' || active || ',', ',' || ?2 || ',') > 0) AND (?3 IS NULL OR stage = ?3) \
    AND (?4 IS NULL OR churn >= ?4) AND (?5 IS NULL OR level <= ?5) \
    AND (?6 IS NULL OR churn < ?6 OR (churn = ?6 AND customer > ?7)) \
    ORDER BY churn DESC, customer LIMIT ?8";

/// The newest assessment of each interaction, and what it was as a conversation.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.source, i.external_id, i.kind, i.received_ms, i.text, i.text_hash, i.observation, a.model, \
             a.policy, a.status, a.language, a.score, a.label, a.emotion, a.body, a.scored_ms, \
             c.turns, c.tier, c.risk, c.recovered, (SELECT json_group_array(json_object('id', l.id, 'tier', l.tier, \
             'change', l.change, 'turn', l.turn)) FROM (SELECT * FROM alerts WHERE interaction = i.id \
             ORDER BY turn, id) l) FROM interactions i LEFT JOIN conversations c ON c.interaction = i.id \
             JOIN assessments a ON a.rowid = (SELECT n.rowid FROM assessments n WHERE n.interaction = i.id \
             ORDER BY n.scored_ms DESC, n.model DESC, n.policy DESC LIMIT 1) ",
            $rest
        )
    };
}

pub(super) const TIMELINE: &str = entries!(
    "WHERE i.tenant = ?1 AND i.customer = ?2 \
     AND (?3 IS NULL OR (i.at_ms, i.id) < (?3, ?4)) \
     ORDER BY i.at_ms DESC, i.id DESC LIMIT ?5"
);

pub(super) const INTERACTIONS: &str =
    entries!("WHERE i.tenant = ?1 AND i.id IN (SELECT value FROM json_each(?2))");

pub(super) const SIGNALS: &str = "SELECT sequence, id, tenant, customer, body FROM signals \
    WHERE (?1 IS NULL OR tenant = ?1) AND sequence > ?2 ORDER BY sequence LIMIT ?3";

pub(super) const SIGNALS_OF: &str = "SELECT sequence, id, tenant, customer, body FROM signals \
    WHERE tenant = ?1 AND customer = ?2 AND sequence > ?3 ORDER BY sequence LIMIT ?4";

pub(super) fn customer(row: &SqliteRow) -> Result<Customer, Error> {
    let active: &str = row.get(4);
    Ok(Customer {
        key: CustomerKey::new(row.get::<String, _>(0), row.get::<String, _>(1)),
        account: form::read(row.get::<&str, _>(2))?,
        profile: form::read(row.get::<&str, _>(3))?,
        active: active.split(',').filter_map(SignalKind::of_name).collect(),
        updated_ms: row.get(5),
    })
}

pub(super) fn entry(row: &SqliteRow) -> Result<TimelineEntry, Error> {
    Ok(TimelineEntry {
        id: row.get(0),
        source: row.get(1),
        external_id: row.get(2),
        kind: row.get(3),
        received_ms: row.get(4),
        text: KeptText { text: row.get(5), hash: row.get(6) },
        observation: form::read(row.get::<&str, _>(7))?,
        assessment: AssessmentRecord {
            model: row.get(8),
            policy: row.get(9),
            status: row.get(10),
            language: row.get(11),
            score: row.get(12),
            label: row.get(13),
            emotion: row.get(14),
            body: row.get(15),
            scored_ms: row.get(16),
        },
        conversation: conversation(row)?,
    })
}

fn conversation(row: &SqliteRow) -> Result<Option<ConversationRecord>, Error> {
    let Some(turns) = row.get::<Option<u32>, _>(17) else { return Ok(None) };
    Ok(Some(ConversationRecord {
        turns,
        tier: row.get(18),
        risk: row.get(19),
        recovered: row.get(20),
        alerts: form::read(row.get::<&str, _>(21))?,
    }))
}

pub(super) fn signal(row: &SqliteRow) -> Result<SignalRow, Error> {
    Ok(SignalRow {
        cursor: row.get::<i64, _>(0).cast_unsigned(),
        id: row.get(1),
        key: CustomerKey::new(row.get::<String, _>(2), row.get::<String, _>(3)),
        signal: form::read(row.get::<&str, _>(4))?,
    })
}
