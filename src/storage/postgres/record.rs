//! Interactions and what follows from them, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Postgres, Row, Transaction};

use super::rows::{self, Decisions};
use super::{PostgresStore, TRIES, lost, unavailable};
use crate::error::Error;
use crate::lifecycle::Account;
use crate::storage::customer::{CustomerState, REMEMBERED};
use crate::storage::form;
use crate::storage::port::Decide;
use crate::storage::record::{CustomerKey, Record, Recorded};

type Tx<'a> = Transaction<'a, Postgres>;

impl PostgresStore {
    /// Tries again what lost against another transaction.
    pub(super) async fn record_all(
        &self,
        records: &[Record],
        decide: &dyn Decide,
    ) -> Result<Vec<Recorded>, Error> {
        let mut tries = 1;
        loop {
            match self.record_once(records, decide).await {
                Err(failed) if failed.passes() && tries < TRIES => tries += 1,
                Err(failed) => return Err(failed.into()),
                Ok(recorded) => return Ok(recorded),
            }
        }
    }

    async fn record_once(&self, records: &[Record], decide: &dyn Decide) -> Result<Vec<Recorded>, Failed> {
        let mut transaction = self.pool.begin().await?;
        let dropped = erased(&mut transaction, records).await?;
        let live: Vec<&Record> = records.iter().filter(|r| !dropped.contains(r.id.as_str())).collect();
        let mut customers = lock(&mut transaction, live.iter().map(|r| &r.key)).await?;
        if erased(&mut transaction, records).await? != dropped {
            return Err(Failed::Erased);
        }
        let mut new: HashSet<String> = rows::insert_interactions(&mut transaction, &live).await?;
        let mut answers = Vec::with_capacity(records.len());
        let mut added: Vec<&Record> = Vec::new();
        for record in records {
            // The first of two equal ones is the new one.
            let is_new = new.remove(&record.id);
            answers.push(Recorded { id: record.id.clone(), new: is_new, signals: Vec::new() });
            if is_new {
                added.push(record);
            }
        }
        rows::insert_readings(&mut transaction, &added).await?;
        customers.retain(|key, _| added.iter().any(|record| record.key == *key));
        observe(&mut transaction, &mut customers).await?;
        let mut decisions = Decisions::default();
        for (key, state) in &customers {
            let own: Vec<&Record> = added.iter().filter(|r| r.key == *key).copied().collect();
            let now_ms = own.iter().map(|r| r.received_ms).max().unwrap_or_default();
            let decision = decide.decide(key, state, &own)?;
            for (_, signal) in &decision.signals {
                if let Some(answer) = answers.iter_mut().find(|a| a.new && a.id == signal.cause) {
                    answer.signals.push(signal.clone());
                }
            }
            decisions.push(key, decision, now_ms)?;
        }
        decisions.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok(answers)
    }

    /// Tries again what lost against another transaction.
    pub(super) async fn import_all(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Error> {
        let mut tries = 1;
        loop {
            match self.import_once(accounts, now_ms, decide).await {
                Err(failed) if failed.passes() && tries < TRIES => tries += 1,
                Err(failed) => return Err(failed.into()),
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn import_once(
        &self,
        accounts: &[(CustomerKey, Account)],
        now_ms: i64,
        decide: &dyn Decide,
    ) -> Result<(), Failed> {
        let mut transaction = self.pool.begin().await?;
        let mut customers = lock(&mut transaction, accounts.iter().map(|(key, _)| key)).await?;
        observe(&mut transaction, &mut customers).await?;
        // The last word on a customer counts.
        let last: HashMap<&CustomerKey, &Account> = accounts.iter().map(|(key, a)| (key, a)).collect();
        rows::set_accounts(&mut transaction, &last).await?;
        let mut decisions = Decisions::default();
        for (key, state) in &mut customers {
            if let Some(account) = last.get(key) {
                state.account = (*account).clone();
            }
            decisions.push(key, decide.decide(key, state, &[])?, now_ms)?;
        }
        decisions.write(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// What can go wrong in a transaction.
pub(super) enum Failed {
    /// The database; a transaction that lost may be tried again.
    Sql(sqlx::Error),
    /// One of the customers was erased while their lock was waited for.
    Erased,
    /// Anything else.
    Other(Error),
}

impl Failed {
    /// Whether the same transaction may well succeed when it is tried again.
    fn passes(&self) -> bool {
        match self {
            Self::Sql(error) => lost(error),
            Self::Erased => true,
            Self::Other(_) => false,
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Sql(error) => unavailable(error),
            Failed::Erased => Self::internal("a customer is erased again and again"),
            Failed::Other(error) => error,
        }
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Ids of records that are older than their customer's erasure.
async fn erased<'r>(transaction: &mut Tx<'_>, records: &'r [Record]) -> Result<HashSet<&'r str>, Failed> {
    let tenants: Vec<&str> = records.iter().map(|r| r.key.tenant.as_str()).collect();
    let marks: Vec<&str> = records.iter().map(|r| r.mark.as_str()).collect();
    let query = "SELECT e.tenant, e.mark, e.at_ms FROM erasures e \
                 JOIN (SELECT DISTINCT * FROM UNNEST($1::text[], $2::text[])) AS m(tenant, mark) USING (tenant, mark)";
    let found = sqlx::query(query).bind(tenants).bind(marks).fetch_all(&mut **transaction).await?;
    let erased: HashMap<(String, String), i64> =
        found.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    let is_erased = |record: &Record| {
        let at_ms = erased.get(&(record.key.tenant.clone(), record.mark.clone()));
        at_ms.is_some_and(|at_ms| record.observation.at_ms <= *at_ms)
    };
    Ok(records.iter().filter(|r| is_erased(r)).map(|r| r.id.as_str()).collect())
}

/// Makes customers that are not there, and holds them all until the end of the transaction.
async fn lock<'k>(
    transaction: &mut Tx<'_>,
    keys: impl Iterator<Item = &'k CustomerKey>,
) -> Result<BTreeMap<CustomerKey, CustomerState>, Failed> {
    let keys: std::collections::BTreeSet<&CustomerKey> = keys.collect();
    let tenants: Vec<&str> = keys.iter().map(|key| key.tenant.as_str()).collect();
    let customers: Vec<&str> = keys.iter().map(|key| key.customer.as_str()).collect();
    let insert = "INSERT INTO customers (tenant, customer, updated_ms) \
                  SELECT tenant, customer, 0 FROM UNNEST($1::text[], $2::text[]) WITH ORDINALITY AS c(tenant, customer, n) \
                  ORDER BY n ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(&tenants).bind(&customers).execute(&mut **transaction).await?;
    let select = "SELECT c.tenant, c.customer, c.account::text, c.memory FROM customers c \
                  JOIN UNNEST($1::text[], $2::text[]) AS k(tenant, customer) USING (tenant, customer) \
                  ORDER BY c.tenant COLLATE \"C\", c.customer COLLATE \"C\" FOR UPDATE OF c";
    let rows = sqlx::query(select).bind(&tenants).bind(&customers).fetch_all(&mut **transaction).await?;
    let mut states = BTreeMap::new();
    for row in rows {
        let state = CustomerState {
            account: form::read(row.get::<&str, _>(2))?,
            memory: form::read_or_default(row.get::<Option<&str>, _>(3))?,
            observations: Vec::new(),
        };
        states.insert(CustomerKey::new(row.get::<String, _>(0), row.get::<String, _>(1)), state);
    }
    // One that was there and is gone was erased while its lock was waited for.
    if states.len() != keys.len() {
        return Err(Failed::Erased);
    }
    Ok(states)
}

/// Fills in the newest interactions of each customer.
async fn observe(
    transaction: &mut Tx<'_>,
    customers: &mut BTreeMap<CustomerKey, CustomerState>,
) -> Result<(), Failed> {
    let tenants: Vec<&str> = customers.keys().map(|key| key.tenant.as_str()).collect();
    let names: Vec<&str> = customers.keys().map(|key| key.customer.as_str()).collect();
    let query = "SELECT k.tenant, k.customer, o.observation FROM UNNEST($1::text[], $2::text[]) AS k(tenant, customer) \
                 CROSS JOIN LATERAL (SELECT observation, at_ms, id FROM interactions i \
                 WHERE i.tenant = k.tenant AND i.customer = k.customer ORDER BY at_ms DESC, id DESC LIMIT $3) o \
                 ORDER BY k.tenant, k.customer, o.at_ms, o.id";
    let rows = sqlx::query(query)
        .bind(tenants)
        .bind(names)
        .bind(REMEMBERED as i64)
        .fetch_all(&mut **transaction)
        .await?;
    for row in rows {
        let key = CustomerKey::new(row.get::<String, _>(0), row.get::<String, _>(1));
        if let Some(state) = customers.get_mut(&key) {
            state.observations.push(form::read(row.get::<&str, _>(2))?);
        }
    }
    Ok(())
}
