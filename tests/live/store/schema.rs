//! Migrations, and files and databases that are not as expected.

use attune::error::ErrorKind;
use attune::storage::postgres::PostgresStore;
use attune::storage::sqlite::SqliteStore;
use attune::storage::{AuditEntry, CustomerStore, KeptText, Record};
use sqlx::{Connection, Executor};

use super::fixture;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_tables_says_what_to_type() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("new.db")).await.unwrap();
    let error = store.check_schema().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("attune migrate"), "{error}");
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    store.check_schema().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_newer_version_is_refused() {
    let file = fixture::sqlite().await;
    let path = file.directory.path().join("attune.db");
    let mut connection = sqlx::SqliteConnection::connect(&path.display().to_string()).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'newer', '2030-01-01', TRUE, X'00', 1)";
    connection.execute(newer).await.unwrap();
    for error in [file.store.check_schema().await.unwrap_err(), file.store.migrate().await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.to_string().contains("newer than this attune"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_not_there_and_a_file_that_is_no_database_are_said() {
    let directory = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(&directory.path().join("not/there.db")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("there.db"), "{error}");
    let text = directory.path().join("text.db");
    std::fs::write(&text, "this is no database, however long it may be, and whatever it is called").unwrap();
    assert!(SqliteStore::open(&text).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_says_what_to_type() {
    let Some((url, server, name)) = fixture::bare_postgres().await else { return };
    let store = PostgresStore::connect(&url, 2).await.unwrap();
    let error = store.check_schema().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Precondition);
    assert!(error.to_string().contains("attune migrate"), "{error}");
    // Two that start at once may both migrate.
    let other = PostgresStore::connect(&url, 2).await.unwrap();
    let (one, two) = tokio::join!(store.migrate(), other.migrate());
    one.unwrap();
    two.unwrap();
    store.check_schema().await.unwrap();
    drop((store, other));
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    let statement = format!("DROP DATABASE {name} WITH (FORCE)");
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_not_available() {
    let error = PostgresStore::connect("postgres://nobody@127.0.0.1:1/nothing", 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = PostgresStore::connect("mysql://x", 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_cut_are_made_again() {
    let Some(database) = fixture::postgres().await else { return };
    database.store.check().await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    connection.execute(cut).await.unwrap();
    database.store.check().await.unwrap();
    database.drop().await;
}

/// What the planner knows of the columns of a database, as anybody who may read its tables can see it.
async fn samples(connection: &mut sqlx::PgConnection) -> String {
    let statement = "SELECT coalesce(string_agg(concat_ws(' ', attname, most_common_vals, histogram_bounds), '; '), '') \
                     FROM pg_stats WHERE schemaname = 'public'";
    sqlx::query_scalar(statement).fetch_one(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_keeps_no_samples_of_texts_and_none_of_the_ids_of_who_was_erased() {
    let Some(database) = fixture::postgres().await else { return };
    let store: fixture::AnyStore = database.store.clone();
    let text = |number: usize| KeptText { text: Some(format!("quokka {number}")), hash: None };
    let record = |number: usize, customer: &str| Record {
        text: text(number),
        ..fixture::message(customer, &format!("{customer}-{number}"), 1_000 + number as i64, -0.9)
    };
    let records: Vec<_> = (0..20).flat_map(|n| [record(n, "numbat"), record(n, "bob")]).collect();
    fixture::keep(&store, &records).await;
    let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
    connection.execute("ANALYZE").await.unwrap();
    let before = samples(&mut connection).await;
    assert!(before.contains("numbat") && !before.contains("quokka"), "{before}");
    let receipt = AuditEntry {
        at_ms: 5_000,
        actor: "test".into(),
        action: "erase".into(),
        subject: "mark".into(),
        detail: "{}".into(),
    };
    store.erase(&fixture::key("numbat"), "mark", receipt).await.unwrap();
    database.store.rewrite().await.unwrap();
    let after = samples(&mut connection).await;
    assert!(after.contains("bob") && !after.contains("numbat"), "{after}");
    drop((store, connection));
    database.drop().await;
}
