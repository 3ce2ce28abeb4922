//! Interactions, profiles and signals in memory.

use async_trait::async_trait;

use super::{Letter, MemoryStore, State, Tables};
use crate::error::Error;
use crate::lifecycle::Account;
use crate::storage::audit::{AuditEntry, AuditRow};
use crate::storage::customer::{
    Customer, CustomerFilter, CustomerState, Decision, REMEMBERED, SignalCursor, SignalPage, SignalRow,
    TimelineEntry,
};
use crate::storage::held::HeldTable;
use crate::storage::outbox::Delivery;
use crate::storage::port::{Counts, CustomerStore, Decide, Purge};
use crate::storage::record::{CustomerKey, KeptText, Record, Recorded};

#[async_trait]
impl CustomerStore for MemoryStore {
    async fn record(&self, records: &[Record], decide: &dyn Decide) -> Result<Vec<Recorded>, Error> {
        let mut tables = self.tables.lock();
        let mut answers: Vec<Recorded> = Vec::with_capacity(records.len());
        let mut touched: Vec<(CustomerKey, Vec<&Record>)> = Vec::new();
        for record in records {
            let new = tables.add(record);
            answers.push(Recorded { id: record.id.clone(), new, signals: Vec::new() });
            if new {
                match touched.iter_mut().find(|(key, _)| *key == record.key) {
                    Some((_, added)) => added.push(record),
                    None => touched.push((record.key.clone(), vec![record])),
                }
            }
        }
        for (key, added) in touched {
            let now_ms = added.iter().map(|r| r.received_ms).max().unwrap_or_default();
            for (_, signal) in tables.settle(&key, &added, now_ms, decide)? {
                if let Some(answer) = answers.iter_mut().find(|a| a.new && a.id == signal.cause) {
                    answer.signals.push(signal);
                }
            }
        }
        Ok(answers)
    }

    async fn import(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error> {
        let mut tables = self.tables.lock();
        for (key, account) in accounts {
            tables.customers.entry(key.clone()).or_default().account = account.clone();
            tables.settle(key, &[], now_ms, decide)?;
        }
        Ok(())
    }

    async fn customer(&self, key: &CustomerKey) -> Result<Option<Customer>, Error> {
        Ok(self.tables.lock().customers.get(key).map(|held| held.customer(key)))
    }

    async fn customers(&self, filter: &CustomerFilter) -> Result<Vec<Customer>, Error> {
        let tables = self.tables.lock();
        let mut found: Vec<Customer> = tables
            .customers
            .iter()
            .filter(|(key, _)| key.tenant == filter.tenant)
            .map(|(key, held)| held.customer(key))
            .filter(|customer| wanted(customer, filter))
            .collect();
        found.sort_by(|a, b| {
            let risks = b.profile.leaving().total_cmp(&a.profile.leaving());
            risks.then_with(|| a.key.cmp(&b.key))
        });
        found.truncate(filter.limit);
        Ok(found)
    }

    async fn timeline(
        &self,
        key: &CustomerKey,
        before: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let tables = self.tables.lock();
        let Some(held) = tables.customers.get(key) else { return Ok(Vec::new()) };
        let mut records: Vec<&Record> = held.records.iter().collect();
        records.sort_by(|a, b| place(b).cmp(&place(a)));
        let before = before.as_ref().map(|(at_ms, id)| (*at_ms, id.as_str()));
        let older = records.into_iter().filter(|record| before.is_none_or(|before| place(record) < before));
        Ok(older.take(limit).map(entry).collect())
    }

    async fn interactions(&self, tenant: &str, ids: &[String]) -> Result<Vec<TimelineEntry>, Error> {
        let tables = self.tables.lock();
        let of_tenant = tables.customers.iter().filter(|(key, _)| key.tenant == tenant);
        let records = of_tenant.flat_map(|(_, held)| &held.records);
        Ok(records.filter(|record| ids.contains(&record.id)).map(entry).collect())
    }

    async fn signals(
        &self,
        tenant: Option<&str>,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        let tables = self.tables.lock();
        let of_tenant = tables.signals.iter().filter(|row| tenant.is_none_or(|t| row.key.tenant == t));
        let rows: Vec<SignalRow> = of_tenant.filter(|row| row.cursor > after).take(limit).cloned().collect();
        Ok(SignalPage { next: rows.last().map_or(after, |row| row.cursor), rows })
    }

    async fn signals_of(
        &self,
        key: &CustomerKey,
        after: SignalCursor,
        limit: usize,
    ) -> Result<SignalPage, Error> {
        let tables = self.tables.lock();
        let own = tables.signals.iter().filter(|row| row.key == *key && row.cursor > after);
        let rows: Vec<SignalRow> = own.take(limit).cloned().collect();
        Ok(SignalPage { next: rows.last().map_or(after, |row| row.cursor), rows })
    }

    async fn held(
        &self,
        key: &CustomerKey,
        table: HeldTable,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let rows = self.tables.lock().held(key, table)?;
        Ok(rows.into_iter().skip(skip).take(limit).map(|row| row.to_string()).collect())
    }

    async fn deliveries_of(
        &self,
        key: &CustomerKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let tables = self.tables.lock();
        let later = tables.deliveries.range(after.saturating_add(1)..).map(|(_, letter)| &letter.delivery);
        let own = later.filter(|one| (&one.tenant, &one.customer) == (&key.tenant, &key.customer));
        Ok(own.take(limit).cloned().collect())
    }

    async fn signals_end(&self) -> Result<SignalCursor, Error> {
        Ok(self.tables.lock().signals_numbered)
    }

    async fn erase(
        &self,
        key: &CustomerKey,
        mark: &str,
        mut receipt: AuditEntry,
    ) -> Result<(Counts, AuditRow), Error> {
        let mut tables = self.tables.lock();
        let counts = tables.take_out(key);
        tables.erased.insert((key.tenant.clone(), mark.to_owned()), receipt.at_ms);
        receipt.detail = receipt.with_counts(&counts)?;
        Ok((counts, tables.write_down(receipt)))
    }

    async fn purge(&self, purge: Purge) -> Result<Counts, Error> {
        Ok(self.tables.lock().purge(purge))
    }

    async fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn place(record: &Record) -> (i64, &str) {
    (record.observation.at_ms, &record.id)
}

fn wanted(customer: &Customer, filter: &CustomerFilter) -> bool {
    let (profile, place) = (&customer.profile, customer.profile.leaving());
    filter.signal.is_none_or(|signal| customer.active.contains(&signal))
        && filter.stage.is_none_or(|stage| profile.stage == Some(stage))
        && filter.churn_at_least.is_none_or(|least| place >= least)
        && filter.level_at_most.is_none_or(|most| profile.level.is_some_and(|level| level <= most))
        && filter
            .after
            .as_ref()
            .is_none_or(|(risk, id)| place < *risk || (place == *risk && customer.key.customer > *id))
}

fn entry(record: &Record) -> TimelineEntry {
    TimelineEntry {
        id: record.id.clone(),
        source: record.source.clone(),
        external_id: record.external_id.clone(),
        kind: record.kind.to_owned(),
        received_ms: record.received_ms,
        text: record.text.clone(),
        observation: record.observation.clone(),
        assessment: record.assessment.clone(),
        conversation: record.conversation.clone(),
    }
}

impl Tables {
    /// Keeps a record that is neither known nor older than its customer's erasure.
    fn add(&mut self, record: &Record) -> bool {
        let tenant = &record.key.tenant;
        let erased = self.erased.get(&(tenant.clone(), record.mark.clone()));
        if erased.is_some_and(|at_ms| record.observation.at_ms <= *at_ms) {
            return false;
        }
        let name = (tenant.clone(), record.source.clone(), record.external_id.clone());
        if !self.known.insert(name) {
            return false;
        }
        self.customers.entry(record.key.clone()).or_default().records.push(record.clone());
        true
    }

    fn settle(
        &mut self,
        key: &CustomerKey,
        added: &[&Record],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<Vec<(String, crate::lifecycle::Signal)>, Error> {
        let held = self.customers.entry(key.clone()).or_default();
        let mut records: Vec<&Record> = held.records.iter().collect();
        records.sort_by(|a, b| place(a).cmp(&place(b)));
        let newest = records.len().saturating_sub(REMEMBERED);
        let state = CustomerState {
            account: held.account.clone(),
            memory: held.memory.clone(),
            observations: records[newest..].iter().map(|record| record.observation.clone()).collect(),
        };
        let Decision { profile, memory, signals, events } = decide.decide(key, &state, added)?;
        (held.profile, held.memory, held.updated_ms) = (profile, memory, held.updated_ms.max(now_ms));
        for (id, signal) in &signals {
            self.signals_numbered += 1;
            let cursor = self.signals_numbered;
            let (id, key, signal) = (id.clone(), key.clone(), signal.clone());
            self.signals.push(SignalRow { cursor, id, key, signal });
        }
        for event in events {
            self.deliveries_numbered += 1;
            let sequence = self.deliveries_numbered;
            let CustomerKey { tenant, customer } = key.clone();
            let delivery = Delivery { sequence, tenant, customer, event, attempts: 0, error: None };
            self.deliveries.insert(sequence, Letter { delivery, state: State::Due(0) });
        }
        Ok(signals)
    }

    fn take_out(&mut self, key: &CustomerKey) -> Counts {
        let records = self.customers.remove(key).map(|held| held.records);
        let customers = u64::from(records.is_some());
        let records = records.unwrap_or_default();
        for record in &records {
            let name = (key.tenant.clone(), record.source.clone(), record.external_id.clone());
            self.known.remove(&name);
        }
        let conversations = records.iter().filter_map(|record| record.conversation.as_ref());
        let alerts: u64 = conversations.clone().map(|c| c.alerts.len() as u64).sum();
        let conversations = conversations.count() as u64;
        let (signals, deliveries) = (self.signals.len(), self.deliveries.len());
        self.signals.retain(|row| row.key != *key);
        self.deliveries.retain(|_, letter| {
            (&letter.delivery.tenant, &letter.delivery.customer) != (&key.tenant, &key.customer)
        });
        vec![
            ("interactions", records.len() as u64),
            ("assessments", records.len() as u64),
            ("conversations", conversations),
            ("alerts", alerts),
            ("customers", customers),
            ("signals", (signals - self.signals.len()) as u64),
            ("outbox", (deliveries - self.deliveries.len()) as u64),
        ]
    }

    fn purge(&mut self, purge: Purge) -> Counts {
        let (mut texts, mut interactions) = (0, 0);
        for held in self.customers.values_mut() {
            for record in &mut held.records {
                if record.observation.at_ms < purge.texts_before_ms && record.text != KeptText::default() {
                    record.text = KeptText::default();
                    texts += 1;
                }
            }
            let before = held.records.len();
            held.records.retain(|record| record.observation.at_ms >= purge.interactions_before_ms);
            interactions += (before - held.records.len()) as u64;
        }
        let (signals, deliveries) = (self.signals.len(), self.deliveries.len());
        self.signals.retain(|row| row.signal.at_ms >= purge.signals_before_ms);
        self.deliveries.retain(|_, letter| match letter.state {
            State::Due(_) => true,
            State::Done(at_ms) | State::Dead(at_ms) => at_ms >= purge.signals_before_ms,
        });
        vec![
            ("texts", texts),
            ("interactions", interactions),
            ("signals", (signals - self.signals.len()) as u64),
            ("outbox", (deliveries - self.deliveries.len()) as u64),
        ]
    }
}
