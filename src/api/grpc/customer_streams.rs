//! Signals as they come, and everything that is held of a customer: page by page, as the reader reads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::sync::watch;

use super::v1::export_customer_response::Part;
use super::{convert_customers as convert, convert_interactions as interactions, v1};
use crate::error::{Error, ErrorKind};
use crate::pipeline::Customers;
use crate::pipeline::customers::check_id;
use crate::pipeline::monitor::now_ms;
use crate::storage::{CustomerKey, SignalCursor, SignalRow};

/// Signals that are read at once, and held for one watcher at most.
const PAGE: usize = 256;
/// Interactions that an export reads at once: each may hold a text.
const TEXTS: usize = 16;
/// Other processes over the same store are heard of by looking this often.
const LOOK: Duration = Duration::from_millis(500);

/// One caller's way through the log of signals.
pub(super) struct Watch {
    customers: Arc<Customers>,
    news: watch::Receiver<u64>,
    tenant: Option<String>,
    after: SignalCursor,
    rows: VecDeque<SignalRow>,
}

impl Watch {
    /// Begins where the request says. Errors: `InvalidInput` with the field, and those of the store.
    pub(super) async fn begin(
        customers: Arc<Customers>,
        request: v1::WatchSignalsRequest,
    ) -> Result<Self, Error> {
        check_id(&request.tenant, "tenant", false)?;
        // First the subscription, then the end of the log: what comes in between is not slept through.
        let news = customers.news();
        let after = match request.cursor.as_str() {
            "" => customers.store().signals_end().await?,
            cursor => parse(cursor)?,
        };
        let tenant = Some(request.tenant).filter(|tenant| !tenant.is_empty());
        Ok(Self { customers, news, tenant, after, rows: VecDeque::new() })
    }

    /// Where the watch begins, then each signal.
    pub(super) fn responses(self) -> impl Stream<Item = Result<v1::WatchSignalsResponse, Error>> + Send {
        let begins = v1::WatchSignalsResponse { signal: None, cursor: self.after.to_string() };
        let later = stream::try_unfold(self, |mut watch| async move {
            let row = watch.next().await?;
            Ok(Some((response(row), watch)))
        });
        stream::iter([Ok(begins)]).chain(later)
    }

    async fn next(&mut self) -> Result<SignalRow, Error> {
        loop {
            if let Some(row) = self.rows.pop_front() {
                return Ok(row);
            }
            // What comes after this look wakes the wait below it.
            self.news.mark_unchanged();
            let store = self.customers.store();
            let page = store.signals(self.tenant.as_deref(), self.after, PAGE).await?;
            self.after = page.next;
            self.rows = page.rows.into();
            if self.rows.is_empty() {
                // Either the time or the news is over; both mean to look again.
                let _looked = tokio::time::timeout(LOOK, self.news.changed()).await;
            }
        }
    }
}

fn response(row: SignalRow) -> v1::WatchSignalsResponse {
    v1::WatchSignalsResponse {
        signal: Some(convert::signal(&row.key, row.signal)),
        cursor: row.cursor.to_string(),
    }
}

/// Stores number their rows with signed numbers.
fn parse(cursor: &str) -> Result<SignalCursor, Error> {
    let number = cursor.parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
    let problem = "expected the cursor of a response, \"0\" for the beginning, or nothing for now";
    number.ok_or_else(|| Error::invalid("cursor", problem))
}

/// How far an export has come.
enum Place {
    Customer,
    Interactions(Option<(i64, String)>),
    Signals(SignalCursor),
    Events(u64),
    End,
}

/// Everything that is held of a customer. Errors: `NotFound` at once, and those of the store.
pub(super) async fn export(
    customers: Arc<Customers>,
    key: CustomerKey,
) -> Result<impl Stream<Item = Result<v1::ExportCustomerResponse, Error>> + Send, Error> {
    let (first, place) = page(&customers, &key, Place::Customer).await?;
    let rest = stream::try_unfold((customers, key, place), |(customers, key, place)| async move {
        if matches!(place, Place::End) {
            return Ok(None);
        }
        let (parts, place) = page(&customers, &key, place).await?;
        Ok::<_, Error>(Some((parts, (customers, key, place))))
    });
    let pages = stream::iter([Ok(first)]).chain(rest);
    let parts = pages.map_ok(|parts| stream::iter(parts.into_iter().map(Ok::<_, Error>))).try_flatten();
    Ok(parts.map_ok(|part| v1::ExportCustomerResponse { part: Some(part) }))
}

async fn page(customers: &Customers, key: &CustomerKey, place: Place) -> Result<(Vec<Part>, Place), Error> {
    let store = customers.store();
    Ok(match place {
        Place::Customer => {
            let found = store.customer(key).await?.ok_or_else(not_held)?;
            (vec![Part::Customer(convert::customer(found, now_ms()))], Place::Interactions(None))
        }
        Place::Interactions(before) => {
            let found = store.timeline(key, before, TEXTS).await?;
            let last = found.last().map(|entry| (entry.observation.at_ms, entry.id.clone()));
            let next = last.map_or(Place::Signals(0), |last| Place::Interactions(Some(last)));
            (found.into_iter().map(|entry| Part::Interaction(interactions::entry(entry))).collect(), next)
        }
        Place::Signals(after) => {
            let found = store.signals_of(key, after, PAGE).await?;
            let next = if found.rows.is_empty() { Place::Events(0) } else { Place::Signals(found.next) };
            let parts = found.rows.into_iter().map(|row| Part::Signal(convert::signal(key, row.signal)));
            (parts.collect(), next)
        }
        Place::Events(after) => {
            let found = store.deliveries_of(key, after, PAGE).await?;
            let next = found.last().map_or(Place::End, |last| Place::Events(last.sequence));
            (found.into_iter().map(|event| Part::Event(interactions::event(event))).collect(), next)
        }
        Place::End => (Vec::new(), Place::End),
    })
}

/// The message leaves the id out: it may be a mail address.
pub(super) fn not_held() -> Error {
    Error::new(ErrorKind::NotFound, "nothing is held of this customer of this tenant")
}
