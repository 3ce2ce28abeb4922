//! Questions in this dialect, and what they are asked with.

use crate::error::Error;
use crate::storage::form;

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

/// Ids as the parameter of [`INTERACTIONS`]: a JSON array, since there are no others.
pub(super) fn ids(ids: &[String]) -> Result<String, Error> {
    form::write(&ids)
}
