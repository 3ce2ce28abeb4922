//! What a CRM says of its customers, row by row: stage, tier, renewal, owner, since when.
//!
//! A row replaces all that was known of its customer's account; an empty cell, and a column that is not there, is not
//! known. Customers are taken over in batches; of rows with the same customer the last one counts.

use crate::error::Error;
use crate::jobs::columns::{customer_column, listed, usual};
use crate::jobs::read::ReadOptions;
use crate::jobs::table::{BadRow, Row, Table};
use crate::jobs::times;
use crate::lifecycle::{Account, Stage};
use crate::pipeline::customers::{Deciding, upkeep};
use crate::storage::{CustomerKey, Store};

/// Customers of a transaction.
const BATCH: usize = 500;
/// Usual names of the columns.
const CUSTOMER: [&str; 8] =
    ["customer id", "customerid", "customer", "account id", "accountid", "account", "contact id", "id"];
const STAGE: [&str; 4] = ["stage", "lifecycle stage", "lifecyclestage", "customer stage"];
const TIER: [&str; 4] = ["tier", "customer tier", "plan", "segment"];
const RENEWAL: [&str; 6] =
    ["renewal date", "renewal", "renewal at", "renews at", "contract end", "contract end date"];
const OWNER: [&str; 6] = ["owner", "owner id", "ownerid", "account owner", "account manager", "csm"];
const SINCE: [&str; 4] = ["since", "customer since", "signed at", "contract start"];

/// Which column is what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountColumns {
    customer: usize,
    stage: Option<usize>,
    tier: Option<usize>,
    renewal: Option<usize>,
    owner: Option<usize>,
    since: Option<usize>,
}

impl AccountColumns {
    /// Finds them; `customer` names the customer's column instead of its usual names.
    ///
    /// Errors: `InvalidInput` when there is no customer, or nothing that is said of one.
    pub fn find(table: &Table, customer: Option<&str>) -> Result<Self, Error> {
        let columns = &table.columns;
        let customer = customer_column(columns, customer, &CUSTOMER)?;
        let found = Self {
            customer,
            stage: usual(columns, &STAGE),
            tier: usual(columns, &TIER),
            renewal: usual(columns, &RENEWAL),
            owner: usual(columns, &OWNER),
            since: usual(columns, &SINCE),
        };
        if [found.stage, found.tier, found.renewal, found.owner, found.since].iter().all(Option::is_none) {
            let problem =
                "no column says anything of an account: expected stage, tier, renewal_date, owner or since";
            return Err(Error::invalid("file", format!("{problem}. There are {}", listed(columns))));
        }
        Ok(found)
    }

    /// What was found, a line each, for people.
    pub fn notes(&self, table: &Table) -> Vec<String> {
        let named = [
            (Some(self.customer), "the customer"),
            (self.stage, "the stage"),
            (self.tier, "the tier"),
            (self.renewal, "the renewal"),
            (self.owner, "the owner"),
            (self.since, "since when"),
        ];
        let note = |(at, what): (Option<usize>, &str)| {
            Some(format!("column {} {:?}: {what}", at? + 1, table.columns[at?].name))
        };
        named.into_iter().filter_map(note).collect()
    }

    /// A row's customer and account. Errors: `InvalidInput` with the field.
    pub fn account(&self, row: &Row, tenant: &str) -> Result<(CustomerKey, Account), Error> {
        let cell = |at: usize| row.cells.get(at).map_or("", |cell| cell.trim());
        let given = |at: Option<usize>| at.map(cell).filter(|cell| !cell.is_empty());
        let time = |at: Option<usize>, field: &str| {
            let read = |cell| times::moment(cell).ok_or_else(|| Error::invalid(field, times::EXPECTED));
            given(at).map(read).transpose()
        };
        let account = Account {
            stage: given(self.stage).map(stage).transpose()?,
            tier: given(self.tier).map(str::to_owned),
            renewal_ms: time(self.renewal, "renewal_date")?,
            owner: given(self.owner).map(str::to_owned),
            since_ms: time(self.since, "since")?,
        };
        let row = (CustomerKey::new(tenant, cell(self.customer)), account);
        upkeep::check_account(&row)?;
        Ok(row)
    }
}

fn stage(cell: &str) -> Result<Stage, Error> {
    Stage::of_name(&cell.to_lowercase()).ok_or_else(|| {
        let names = Stage::ALL.map(Stage::name).join(", ");
        Error::invalid("stage", format!("expected one of {names}"))
    })
}

/// How such a file is read: it has no free text, so the reader is told of the one column that must be there.
pub fn read_options(customer: Option<&str>, options: ReadOptions) -> ReadOptions {
    let text = customer.map_or_else(|| "1".to_owned(), str::to_owned);
    ReadOptions { detect: false, text_columns: vec![text], ..options }
}

/// What became of the rows: `read = imported + refused`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows of the file.
    pub read: u64,
    /// Rows that were taken over.
    pub imported: u64,
    /// Rows that can't be used.
    pub refused: u64,
}

/// Takes the rows over; `refuse` hears of each that can't be. Errors: those of the store; what was taken over before stays.
pub async fn import(
    table: Table,
    columns: &AccountColumns,
    tenant: &str,
    (store, deciding): (&dyn Store, &Deciding),
    now_ms: i64,
    refuse: &mut (dyn FnMut(&BadRow) + Send),
) -> Result<Imported, Error> {
    let mut totals = Imported::default();
    let mut batch: Vec<(CustomerKey, Account)> = Vec::with_capacity(BATCH);
    for row in table.rows {
        totals.read += 1;
        let read = row.and_then(|row| {
            columns.account(&row, tenant).map_err(|e| BadRow::refused(row.number, row.place, &e))
        });
        match read {
            Ok(account) => {
                totals.imported += 1;
                batch.push(account);
            }
            Err(bad) => {
                totals.refused += 1;
                refuse(&bad);
            }
        }
        if batch.len() == BATCH {
            upkeep::import(store, deciding, &batch, now_ms).await?;
            batch.clear();
        }
    }
    if !batch.is_empty() {
        upkeep::import(store, deciding, &batch, now_ms).await?;
    }
    Ok(totals)
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
