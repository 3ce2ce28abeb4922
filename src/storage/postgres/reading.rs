//! Questions in this dialect, and what they are asked with.

use crate::error::Error;

pub(super) const CUSTOMER: &str = "SELECT tenant, customer, account::text, profile::text, array_to_string(active, ','), updated_ms \
    FROM customers WHERE tenant = $1 AND customer = $2 AND profile IS NOT NULL";

pub(super) const CUSTOMERS: &str = "SELECT tenant, customer, account::text, profile::text, array_to_string(active, ','), updated_ms \
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

/// Ids as the parameter of [`INTERACTIONS`]: an array.
pub(super) fn ids(ids: &[String]) -> Result<&[String], Error> {
    Ok(ids)
}
