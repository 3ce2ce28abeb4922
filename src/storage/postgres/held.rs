//! The rows of one customer as JSON.

use crate::storage::held::HeldTable;

/// Rows of a table in their order, from its columns.
macro_rules! rows {
    ($table:literal, $order:literal, $($columns:literal),+ $(,)?) => {
        concat!(
            "SELECT row_to_json(held)::text FROM (SELECT ",
            $($columns,)+
            " FROM ",
            $table,
            " WHERE tenant = $1 AND customer = $2 ORDER BY ",
            $order,
            " LIMIT $3 OFFSET $4) held"
        )
    };
}

/// Tenant and customer, page size and rows that are left out are its parameters.
pub(super) fn query(table: HeldTable) -> &'static str {
    match table {
        HeldTable::Customers => rows!(
            "customers",
            "customer",
            "tenant, customer, account, profile, memory::json AS memory, level, churn, stage, active, updated_ms",
        ),
        HeldTable::Interactions => rows!(
            "interactions",
            "at_ms, id COLLATE \"C\"",
            "id, tenant, customer, source, external_id, kind, channel, at_ms, received_ms, text, text_hash, ",
            "observation::json AS observation",
        ),
        HeldTable::Assessments => rows!(
            "assessments",
            "interaction COLLATE \"C\", model COLLATE \"C\", policy COLLATE \"C\"",
            "interaction, model, policy, tenant, customer, status, language, score, label, emotion, body, scored_ms",
        ),
        HeldTable::Conversations => rows!(
            "conversations",
            "interaction COLLATE \"C\"",
            "interaction, tenant, customer, turns, tier, risk, recovered",
        ),
        HeldTable::Alerts => rows!(
            "alerts",
            "interaction COLLATE \"C\", id COLLATE \"C\"",
            "interaction, id, tenant, customer, tier, change, turn",
        ),
        HeldTable::Signals => {
            rows!("signals", "sequence", "sequence, id, tenant, customer, kind, at_ms, body")
        }
        HeldTable::Outbox => rows!(
            "outbox",
            "sequence",
            "sequence, id, sink, tenant, customer, kind, at_ms, body::json AS body, state, due_ms, attempts, error, ",
            "settled_ms",
        ),
    }
}
