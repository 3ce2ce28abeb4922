//! What has to hold after everything broke.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_nats::jetstream::Context;
use sqlx::{Connection, PgConnection, Row};

use crate::queue;
use crate::receiver::Receiver;

/// What was sent.
pub(crate) struct Planted {
    pub(crate) interactions: usize,
    pub(crate) poison: Vec<Vec<u8>>,
}

/// About how many interactions are kept; `None` while the database is away.
pub(crate) async fn kept(url: &str) -> Option<i64> {
    let mut connection = PgConnection::connect(url).await.ok()?;
    let count = sqlx::query("SELECT count(*) FROM interactions").fetch_one(&mut connection).await.ok()?;
    Some(count.get(0))
}

/// Waits until nothing is left to be delivered; whether that came in time.
pub(crate) async fn delivered(url: &str, most: Duration) -> bool {
    let started = Instant::now();
    let mut connection = PgConnection::connect(url).await.unwrap();
    loop {
        let row = sqlx::query("SELECT count(*) FROM outbox WHERE state = 0")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let left: i64 = row.get(0);
        if left == 0 {
            return true;
        }
        if started.elapsed() > most {
            println!("VIOLATION: {left} events are not delivered after {} s", most.as_secs());
            return false;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Prints each law and whether it holds.
pub(crate) async fn all(context: &Context, url: &str, planted: &Planted, receiver: &Receiver) -> bool {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut held = true;
    let mut law = |name: &str, holds: bool, said: String| {
        println!("{} {name}: {said}", if holds { "ok       " } else { "VIOLATION" });
        held &= holds;
    };
    let query = "SELECT external_id, (SELECT count(*) FROM assessments a WHERE a.interaction = i.id) FROM interactions i";
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    let kept: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let read_once = rows.iter().filter(|row| row.get::<i64, _>(1) == 1).count();
    let wanted: BTreeSet<String> = (0..planted.interactions).map(|n| format!("i-{n}")).collect();
    let exact = kept == wanted && rows.len() == wanted.len() && read_once == rows.len();
    let said = format!(
        "{} sent, {} rows, {} different, {read_once} read once",
        wanted.len(),
        rows.len(),
        kept.len()
    );
    law("every interaction exactly once", exact, said);

    let told = queue::all(context, "ATTUNE_EVENTS", true).await;
    let different: BTreeSet<&String> = told.iter().map(|(_, id)| id).collect();
    let said = format!("{} published, {} different", told.len(), different.len());
    law("every assessment published", different.len() == wanted.len(), said);

    let (events, signals) = deliveries(&mut connection).await;
    let taken = receiver.lock().events.clone();
    let ids: BTreeSet<&str> = taken.iter().map(|(_, id)| id.as_str()).collect();
    let missing = signals.iter().filter(|id| !ids.contains(id.as_str())).count();
    let strange = ids.iter().filter(|id| !signals.contains(**id)).count();
    let said = format!(
        "{} signals, {} calls taken, {missing} missing, {strange} strange",
        signals.len(),
        taken.len()
    );
    law("every signal delivered, by its id", missing == 0 && strange == 0, said);

    let disordered = disordered(&events, &taken);
    let said = format!("{} customers, {disordered} with a signal before its turn", events.len());
    law("each customer's signals in their order", disordered == 0, said);

    let letters = queue::all(context, "ATTUNE_DEAD", false).await;
    let mut dead: Vec<&[u8]> = letters.iter().map(|(payload, _)| payload.as_slice()).collect();
    let mut poison: Vec<&[u8]> = planted.poison.iter().map(Vec::as_slice).collect();
    dead.sort_unstable();
    poison.sort_unstable();
    let said = format!("{} planted, {} dead letters", poison.len(), dead.len());
    law("dead letters are the poison alone", dead == poison, said);
    held
}

/// Ids of each customer's events in the order of the outbox, and of all signals.
async fn deliveries(connection: &mut PgConnection) -> (BTreeMap<String, Vec<String>>, BTreeSet<String>) {
    let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let query = "SELECT customer, id FROM outbox ORDER BY sequence";
    for row in sqlx::query(query).fetch_all(&mut *connection).await.unwrap() {
        events.entry(row.get(0)).or_default().push(row.get(1));
    }
    let rows = sqlx::query("SELECT id FROM signals").fetch_all(connection).await.unwrap();
    (events, rows.iter().map(|row| row.get(0)).collect())
}

/// Customers whose events came for the first time in another order than that of the outbox.
fn disordered(events: &BTreeMap<String, Vec<String>>, taken: &[(String, String)]) -> usize {
    let mut first: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (customer, id) in taken {
        if seen.insert(id.as_str()) {
            first.entry(customer).or_default().push(id);
        }
    }
    let came = |customer: &str| first.get(customer).cloned().unwrap_or_default();
    events.iter().filter(|(customer, ids)| came(customer) != **ids).count()
}
