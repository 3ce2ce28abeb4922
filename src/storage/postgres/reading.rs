//! Questions, and rows turned into values.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::Error;
use crate::lifecycle::SignalKind;
use crate::storage::customer::{Customer, SignalRow, TimelineEntry};
use crate::storage::form;
use crate::storage::record::{AssessmentRecord, ConversationRecord, CustomerKey, KeptText};

pub(super) const CUSTOMER: &str = "SELECT tenant, customer, account::text, profile::text, active, updated_ms \
    FROM customers WHERE tenant = $1 AND customer = $2 AND profile IS NOT NULL";

pub(super) const CUSTOMERS: &str = "SELECT tenant, customer, account::text, profile::text, active, updated_ms \
    FROM customers WHERE tenant = $1 AND profile IS NOT NULL \
    AND ($2::text IS NULL OR $2 = ANY (active)) AND ($3::text IS NULL OR stage = $3) \
    AND ($4::double precision IS NULL OR churn >= $4) AND ($5::double precision IS NULL OR level <= $5) \
    AND ($6::double precision IS NULL OR churn < $6 OR (churn = $6 AND customer COLLATE \"C\" > $7)) \
    ORDER BY churn DESC, customer COLLATE \"C\" LIMIT $8";

/// The newest assessment of each interaction, and what it was as a conversation.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.source, i.external_id, i.kind, i.received_ms, i.text, i.text_hash, i.observation, a.model, \
             a.policy, a.status, a.language, a.score, a.label, a.emotion, a.body::text, a.scored_ms, \
             c.turns, c.tier, c.risk, c.recovered, (SELECT json_agg(json_build_object('id', l.id, 'tier', l.tier, \
             'change', l.change, 'turn', l.turn) ORDER BY l.turn, l.id)::text FROM alerts l \
             WHERE l.interaction = i.id) FROM interactions i LEFT JOIN conversations c ON c.interaction = i.id \
             CROSS JOIN LATERAL (SELECT * FROM assessments n WHERE n.interaction = i.id \
             ORDER BY n.scored_ms DESC, n.model DESC, n.policy DESC LIMIT 1) a ",
            $rest
        )
    };
}

pub(super) const TIMELINE: &str = entries!(
    "WHERE i.tenant = $1 AND i.customer = $2 \
     AND ($3::bigint IS NULL OR (i.at_ms, i.id COLLATE \"C\") < ($3, $4)) \
     ORDER BY i.at_ms DESC, i.id COLLATE \"C\" DESC LIMIT $5"
);

pub(super) const INTERACTIONS: &str = entries!("WHERE i.tenant = $1 AND i.id = ANY ($2)");

pub(super) const SIGNALS: &str = "SELECT sequence, id, tenant, customer, body::text FROM signals \
    WHERE ($1::text IS NULL OR tenant = $1) AND sequence > $2 ORDER BY sequence LIMIT $3";

pub(super) const SIGNALS_OF: &str = "SELECT sequence, id, tenant, customer, body::text FROM signals \
    WHERE tenant = $1 AND customer = $2 AND sequence > $3 ORDER BY sequence LIMIT $4";

pub(super) const SIGNALS_END: &str = "SELECT COALESCE(max(sequence), 0) FROM signals";

pub(super) fn customer(row: &PgRow) -> Result<Customer, Error> {
    let active: Vec<String> = row.get(4);
    Ok(Customer {
        key: CustomerKey::new(row.get::<String, _>(0), row.get::<String, _>(1)),
        account: form::read(row.get::<&str, _>(2))?,
        profile: form::read(row.get::<&str, _>(3))?,
        active: active.iter().filter_map(|name| SignalKind::of_name(name)).collect(),
        updated_ms: row.get(5),
    })
}

pub(super) fn entry(row: &PgRow) -> Result<TimelineEntry, Error> {
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

fn conversation(row: &PgRow) -> Result<Option<ConversationRecord>, Error> {
    let Some(turns) = row.get::<Option<i32>, _>(17) else { return Ok(None) };
    Ok(Some(ConversationRecord {
        turns: turns.cast_unsigned(),
        tier: row.get(18),
        risk: row.get(19),
        recovered: row.get(20),
        alerts: form::read_or_default(row.get(21))?,
    }))
}

pub(super) fn signal(row: &PgRow) -> Result<SignalRow, Error> {
    Ok(SignalRow {
        cursor: row.get::<i64, _>(0).cast_unsigned(),
        id: row.get(1),
        key: CustomerKey::new(row.get::<String, _>(2), row.get::<String, _>(3)),
        signal: form::read(row.get::<&str, _>(4))?,
    })
}
