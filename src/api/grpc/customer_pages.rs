//! Lists of customers and timelines, page by page.

use super::paging::{cut, page_size, wrong_token};
use super::{convert_customers as convert, convert_interactions as interactions, v1};
use crate::error::Error;
use crate::pipeline::customers::check_id;
use crate::pipeline::monitor::now_ms;
use crate::storage::{Customer, CustomerFilter, CustomerKey, Store};

/// Most customers on a page.
const CUSTOMERS_MOST: usize = 1000;
/// Most interactions on a page: each may hold a text.
const TIMELINE_MOST: usize = 200;

/// A customer's name; errors name the field.
pub(super) fn key(tenant: String, customer: String) -> Result<CustomerKey, Error> {
    check_id(&tenant, "tenant", false)?;
    check_id(&customer, "customer", true)?;
    Ok(CustomerKey { tenant, customer })
}

/// Customers, likeliest to leave first.
pub(super) async fn customers(
    store: &dyn Store,
    request: v1::ListCustomersRequest,
) -> Result<v1::ListCustomersResponse, Error> {
    let size = page_size(request.page_size, CUSTOMERS_MOST)?;
    let filter = CustomerFilter { limit: size + 1, ..filter(request)? };
    let mut found = store.customers(&filter).await?;
    let next_page_token = cut(&mut found, size, customer_token);
    let now_ms = now_ms();
    let customers = found.into_iter().map(|customer| convert::customer(customer, now_ms)).collect();
    Ok(v1::ListCustomersResponse { customers, next_page_token })
}

fn filter(request: v1::ListCustomersRequest) -> Result<CustomerFilter, Error> {
    check_id(&request.tenant, "tenant", false)?;
    if request.churn_at_least.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        return Err(Error::invalid("churn_at_least", "expected a probability from 0 to 1"));
    }
    if request.level_at_most.is_some_and(|most| !(-1.0..=1.0).contains(&most)) {
        return Err(Error::invalid("level_at_most", "expected a level from -1 to 1"));
    }
    let token = request.page_token.as_str();
    Ok(CustomerFilter {
        signal: convert::signal_kind(request.signal, "signal")?,
        stage: convert::stage(request.stage, "stage")?,
        churn_at_least: request.churn_at_least,
        level_at_most: request.level_at_most,
        after: (!token.is_empty()).then(|| customer_place(token)).transpose()?,
        tenant: request.tenant,
        limit: 0,
    })
}

/// What the list is ordered by, as it is kept: the risk's bits, so that it comes back as it was.
fn customer_token(customer: &Customer) -> String {
    let risk = customer.profile.leaving();
    format!("{:016x}.{}", risk.to_bits(), customer.key.customer)
}

fn customer_place(token: &str) -> Result<(f64, String), Error> {
    let (bits, id) = token.split_once('.').ok_or_else(wrong_token)?;
    let risk = f64::from_bits(u64::from_str_radix(bits, 16).map_err(|_| wrong_token())?);
    if !(0.0..=1.0).contains(&risk) {
        return Err(wrong_token());
    }
    check_id(id, "page_token", true)?;
    Ok((risk, id.to_owned()))
}

/// A customer's interactions, newest first.
pub(super) async fn timeline(
    store: &dyn Store,
    request: v1::GetTimelineRequest,
) -> Result<v1::GetTimelineResponse, Error> {
    let size = page_size(request.page_size, TIMELINE_MOST)?;
    let key = key(request.tenant, request.customer)?;
    let token = request.page_token.as_str();
    let before = (!token.is_empty()).then(|| timeline_place(token)).transpose()?;
    let mut found = store.timeline(&key, before, size + 1).await?;
    let next_page_token = cut(&mut found, size, |entry| format!("{}.{}", entry.observation.at_ms, entry.id));
    let entries = found.into_iter().map(interactions::entry).collect();
    Ok(v1::GetTimelineResponse { entries, next_page_token })
}

fn timeline_place(token: &str) -> Result<(i64, String), Error> {
    let (at_ms, id) = token.split_once('.').ok_or_else(wrong_token)?;
    check_id(id, "page_token", true)?;
    Ok((at_ms.parse().map_err(|_| wrong_token())?, id.to_owned()))
}
