//! `attune customers import`: what a CRM says of its customers.

use serde::Serialize;

use super::arguments::{ImportOptions, StoreFormat};
use super::{tell, write_json, write_out};
use crate::app::customers::{deciding, lasting_store};
use crate::app::load_bundle;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::jobs::BadRow;
use crate::jobs::accounts::{AccountColumns, Imported, import, read_options};
use crate::jobs::read::{self, Input, ReadOptions};
use crate::pipeline::monitor::now_ms;

/// Rows at fault that are named; a file of another form has nothing else.
const NAMED: u64 = 50;

#[derive(Serialize)]
struct Line {
    read: u64,
    imported: u64,
    refused: u64,
}

/// Takes a file over. Errors: `InvalidInput` at the end when a row was refused; the others are taken over.
pub(super) async fn run(options: &ImportOptions, config: &Config) -> Result<(), Error> {
    let customer = options.customer_column.as_deref();
    let input = match options.file.as_os_str().to_str() {
        Some("-") => Input::Stdin,
        _ => Input::File(options.file.clone()),
    };
    let table = read::open(&input, &read_options(customer, ReadOptions::default()))?;
    let columns = AccountColumns::find(&table, customer)?;
    columns.notes(&table).iter().for_each(|note| tell(&format!("  {note}\n")));
    let decide = deciding(config, &load_bundle(config)?.manifest)?;
    let store = lasting_store(config).await?;
    let mut refused = 0;
    let mut refuse = |row: &BadRow| {
        refused += 1;
        if refused <= NAMED {
            tell(&format!("row {} (line {}): {}\n", row.number, row.place, row.reason));
        } else if refused == NAMED + 1 {
            tell("and more\n");
        }
    };
    let tenant = &options.tenant.tenant;
    let totals = import(table, &columns, tenant, (&*store, &decide), now_ms(), &mut refuse).await?;
    told(totals, options.form.format)?;
    if totals.refused > 0 {
        let message =
            format!("{} of {} rows were refused; the others are taken over", totals.refused, totals.read);
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}

fn told(totals: Imported, format: StoreFormat) -> Result<(), Error> {
    let Imported { read, imported, refused } = totals;
    match format {
        StoreFormat::Json => write_json(&Line { read, imported, refused }),
        StoreFormat::Text => {
            write_out(format!("{read} rows read: {imported} imported, {refused} refused\n").as_bytes())
        }
    }
}
