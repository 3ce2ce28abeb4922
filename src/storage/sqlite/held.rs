//! The rows of one customer as JSON.

use crate::storage::held::HeldTable;

/// Rows of a table in their order, from its columns.
macro_rules! rows {
    ($table:literal, $order:literal, $($columns:literal),+ $(,)?) => {
        concat!(
            "SELECT json_object(",
            $($columns,)+
            ") FROM ",
            $table,
            " WHERE tenant = ?1 AND customer = ?2 ORDER BY ",
            $order,
            " LIMIT ?3 OFFSET ?4"
        )
    };
}

/// Tenant and customer, page size and rows that are left out are its parameters.
pub(super) fn query(table: HeldTable) -> &'static str {
    match table {
        HeldTable::Customers => rows!(
            "customers",
            "customer",
            "'tenant', tenant, 'customer', customer, 'account', json(account), 'profile', json(profile), ",
            "'memory', json(memory), 'level', level, 'churn', churn, 'stage', stage, ",
            "'active', json(iif(active = '', '[]', '[\"' || replace(active, ',', '\",\"') || '\"]')), ",
            "'updated_ms', updated_ms",
        ),
        HeldTable::Interactions => rows!(
            "interactions",
            "at_ms, id",
            "'id', id, 'tenant', tenant, 'customer', customer, 'source', source, 'external_id', external_id, ",
            "'kind', kind, 'channel', channel, 'at_ms', at_ms, 'received_ms', received_ms, 'text', text, ",
            "'text_hash', text_hash, 'observation', json(observation)",
        ),
        HeldTable::Assessments => rows!(
            "assessments",
            "interaction, model, policy",
            "'interaction', interaction, 'model', model, 'policy', policy, 'tenant', tenant, 'customer', customer, ",
            "'status', status, 'language', language, 'score', score, 'label', label, 'emotion', emotion, ",
            "'body', json(body), 'scored_ms', scored_ms",
        ),
        HeldTable::Conversations => rows!(
            "conversations",
            "interaction",
            "'interaction', interaction, 'tenant', tenant, 'customer', customer, 'turns', turns, 'tier', tier, ",
            "'risk', risk, 'recovered', json(iif(recovered, 'true', 'false'))",
        ),
        HeldTable::Alerts => rows!(
            "alerts",
            "interaction, id",
            "'interaction', interaction, 'id', id, 'tenant', tenant, 'customer', customer, 'tier', tier, ",
            "'change', change, 'turn', turn",
        ),
        HeldTable::Signals => rows!(
            "signals",
            "sequence",
            "'sequence', sequence, 'id', id, 'tenant', tenant, 'customer', customer, 'kind', kind, 'at_ms', at_ms, ",
            "'body', json(body)",
        ),
        HeldTable::Outbox => rows!(
            "outbox",
            "sequence",
            "'sequence', sequence, 'id', id, 'sink', sink, 'tenant', tenant, 'customer', customer, 'kind', kind, ",
            "'at_ms', at_ms, 'body', json(body), 'state', state, 'due_ms', due_ms, 'attempts', attempts, ",
            "'error', error, 'settled_ms', settled_ms",
        ),
    }
}
