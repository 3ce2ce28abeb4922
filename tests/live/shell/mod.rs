//! The commands that work on the store, as processes: over SQLite, and over PostgreSQL where there is one.

mod customers;
mod enrich;
mod upkeep;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use attune::storage::postgres::PostgresStore;
use attune::storage::sqlite::SqliteStore;
use attune::storage::{CustomerFilter, HeldTable, Store};
use serde_json::Value;

use crate::command::attune;
use crate::store::fixture;

/// The made-up export: rows, and what becomes of them.
const HELPDESK: &str = include_str!("../../fixtures/crm/helpdesk.csv");
const ROWS: u64 = 46;
const RECORDED: u64 = 40;
const QUARANTINED: u64 = 5;

/// A store without tables, and a directory for what a test writes.
struct Place {
    directory: tempfile::TempDir,
    url: String,
    /// Server and name of a database that goes with the test.
    database: Option<(String, String)>,
}

impl Place {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("attune.db").display());
        Self { directory, url, database: None }
    }

    /// One of each store that is there.
    async fn all() -> Vec<Self> {
        let mut places = vec![Self::sqlite()];
        if let Some((url, server, name)) = fixture::bare_postgres().await {
            let directory = tempfile::tempdir().unwrap();
            places.push(Self { directory, url, database: Some((server, name)) });
        }
        places
    }

    async fn close(self) {
        if let Some((server, name)) = self.database {
            fixture::drop_database(&server, &name).await;
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file; its path as an argument.
    fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = attune();
        command.args(arguments).args(["--set", &format!("storage.url={}", self.url)]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that must end with this code.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        stderr(&output)
    }

    /// Lines of JSON of a command that must succeed.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let told = self.succeeds(&[arguments, &["--format", "json"]].concat());
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn store(&self) -> Arc<dyn Store> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => Arc::new(SqliteStore::open(path.as_ref()).await.unwrap()),
            None => Arc::new(PostgresStore::connect(&self.url, 2).await.unwrap()),
        }
    }

    /// Records the made-up export.
    fn filled(&self) {
        let input = self.file("crm.csv", HELPDESK);
        self.succeeds(&["migrate"]);
        self.succeeds(&enrich(&input));
    }

    /// Everything that is held of everybody, without the times at which it was done.
    async fn dump(&self) -> Vec<Value> {
        let store = self.store().await;
        let filter = CustomerFilter { limit: 100_000, ..CustomerFilter::default() };
        let mut customers = store.customers(&filter).await.unwrap();
        customers.sort_by(|a, b| a.key.cmp(&b.key));
        let mut all = Vec::new();
        for customer in customers {
            for table in HeldTable::ALL {
                for row in store.held(&customer.key, table, 0, 100_000).await.unwrap() {
                    let mut row: Value = serde_json::from_str(&row).unwrap();
                    for done in ["received_ms", "scored_ms", "updated_ms", "sequence"] {
                        row.as_object_mut().unwrap().remove(done);
                    }
                    all.push(row);
                }
            }
        }
        all
    }
}

/// The arguments that record an export of the made-up helpdesk.
fn enrich(input: &str) -> Vec<&str> {
    vec!["enrich", "--from", input, "--source", "helpdesk", "--id-column", "Ticket ID"]
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
