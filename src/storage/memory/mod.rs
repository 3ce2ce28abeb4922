//! A store in memory: for tests, and for trying things out. It forgets everything when the process ends, and is not bounded.

mod customers;
mod held;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::audit::{AuditEntry, AuditRow};
use super::customer::{Customer, SignalRow};
use super::outbox::Delivery;
use super::port::AuditLog;
use super::record::{CustomerKey, Record};
use crate::error::Error;
use crate::lifecycle::{Account, Memory, Profile};

/// A store that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

#[derive(Debug, Default)]
struct Tables {
    customers: BTreeMap<CustomerKey, Held>,
    /// By tenant, source and external id.
    known: BTreeSet<(String, String, String)>,
    signals: Vec<SignalRow>,
    signals_numbered: u64,
    deliveries: BTreeMap<u64, Letter>,
    deliveries_numbered: u64,
    audit: Vec<AuditRow>,
    /// When whom was erased, by tenant and mark.
    erased: BTreeMap<(String, String), i64>,
}

#[derive(Debug, Default)]
struct Held {
    account: Account,
    profile: Profile,
    memory: Memory,
    updated_ms: i64,
    records: Vec<Record>,
}

impl Held {
    fn customer(&self, key: &CustomerKey) -> Customer {
        Customer {
            key: key.clone(),
            account: self.account.clone(),
            profile: self.profile.clone(),
            active: self.memory.active(),
            updated_ms: self.updated_ms,
        }
    }
}

#[derive(Debug)]
struct Letter {
    delivery: Delivery,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits until then; a lease is a wait too.
    Due(i64),
    Done(i64),
    Dead(i64),
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, entry: AuditEntry) -> Result<AuditRow, Error> {
        Ok(self.tables.lock().write_down(entry))
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, Error> {
        let tables = self.tables.lock();
        Ok(tables.audit.iter().filter(|row| row.sequence > after).take(limit).cloned().collect())
    }
}

impl Tables {
    fn write_down(&mut self, entry: AuditEntry) -> AuditRow {
        let row = AuditRow::bind(entry, self.audit.last().map(|row| (row.sequence, row.hash.clone())));
        self.audit.push(row.clone());
        row
    }
}
