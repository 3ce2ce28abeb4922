//! Whether a database has the tables that this version of attune expects.

use sqlx::migrate::{MigrateError, Migrator};

use crate::error::{Error, ErrorKind};

/// A table of migrations that is not there has none.
pub(super) fn or_none(
    applied: Result<Vec<(i64, Vec<u8>)>, sqlx::Error>,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    match applied {
        Err(sqlx::Error::Database(error))
            if error.code().as_deref() == Some("42P01") || error.message().contains("no such table") =>
        {
            Ok(Vec::new())
        }
        other => other,
    }
}

/// The version of the tables that this attune works with.
pub(super) fn newest(migrations: &Migrator) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Compares what was applied with what this version holds.
pub(super) fn check(migrations: &Migrator, applied: Vec<(i64, Vec<u8>)>) -> Result<(), Error> {
    let known: Vec<_> = migrations.iter().collect();
    for (version, checksum) in &applied {
        match known.iter().find(|migration| migration.version == *version) {
            None => {
                return Err(precondition(format!(
                    "its tables are of version {version}, newer than this attune"
                )));
            }
            Some(migration) if *migration.checksum != **checksum => {
                return Err(precondition(format!(
                    "its tables of version {version} are not those of this attune"
                )));
            }
            Some(_) => {}
        }
    }
    if applied.len() < known.len() {
        return Err(precondition(
            "its tables are missing or older than this attune: run `attune migrate`".into(),
        ));
    }
    Ok(())
}

/// Why migrations were not applied.
pub(super) fn refused(error: MigrateError) -> Error {
    match &error {
        MigrateError::VersionMismatch(version) => {
            precondition(format!("its tables of version {version} are not those of this attune"))
        }
        MigrateError::VersionMissing(version) => {
            precondition(format!("its tables are of version {version}, newer than this attune"))
        }
        _ => Error::new(ErrorKind::Unavailable, "the database could not be migrated").with_source(error),
    }
}

fn precondition(what: String) -> Error {
    Error::new(ErrorKind::Precondition, format!("the database: {what}"))
}
