//! The list of open alerts: filtered, ranked, paged.

use std::collections::HashMap;

use super::paging::{cut, page_size, wrong_token};
use super::{convert_conversation as talk, v1};
use crate::domain::Channel;
use crate::error::Error;
use crate::escalation::Tier;
use crate::pipeline::monitor::{Escalation, Monitor, Notice, now_ms};

/// Most alerts on a page.
const PAGE_MOST: usize = 1000;

/// Which alerts a caller wants to see.
pub(super) struct Filter {
    tenant: String,
    channel: Channel,
    minimum: Tier,
}

impl Filter {
    pub(super) fn of(tenant: String, channel: i32, minimum_tier: i32) -> Result<Self, Error> {
        Ok(Self {
            tenant: talk::id(tenant, "tenant")?,
            channel: talk::channel(channel, "channel")?,
            minimum: talk::minimum_tier(minimum_tier)?,
        })
    }

    pub(super) fn takes(&self, escalation: &Escalation) -> bool {
        self.concerns(escalation) && escalation.state.standing.tier >= self.minimum
    }

    /// A change is of interest when the alert is, or was, at the minimum.
    pub(super) fn takes_change(&self, notice: &Notice) -> bool {
        let (before, after) = (notice.event.before, notice.event.alert.tier);
        self.concerns(&notice.escalation) && before.max(after) >= self.minimum
    }

    fn concerns(&self, escalation: &Escalation) -> bool {
        (self.tenant.is_empty() || self.tenant == escalation.key.tenant)
            && (self.channel == Channel::Unknown || self.channel == escalation.channel)
    }
}

/// Each with whether its tenant's people can take it, counted from the top.
pub(super) fn ranked(open: &[Escalation]) -> impl Iterator<Item = (&Escalation, bool)> {
    let mut taken: HashMap<&str, usize> = HashMap::new();
    open.iter().map(move |escalation| {
        let taken = taken.entry(&escalation.key.tenant).or_default();
        *taken += 1;
        (escalation, *taken <= escalation.capacity)
    })
}

/// One page.
pub(super) fn list(
    monitor: &Monitor,
    request: v1::ListEscalationsRequest,
) -> Result<v1::ListEscalationsResponse, Error> {
    let filter = Filter::of(request.tenant, request.channel, request.minimum_tier)?;
    let size = page_size(request.page_size, PAGE_MOST)?;
    let after = (!request.page_token.is_empty()).then(|| parse(&request.page_token)).transpose()?;
    let now = now_ms();
    let awake = |e: &Escalation| {
        let until = e.state.alert.as_ref().and_then(|alert| alert.snoozed_until_ms);
        request.include_snoozed || until.is_none_or(|until| until <= now)
    };
    let open: Vec<Escalation> = monitor.escalations().into_iter().filter(|e| awake(e)).collect();
    let wanted = ranked(&open).filter(|(e, _)| filter.takes(e));
    let mut page: Vec<_> =
        wanted.filter(|(e, _)| after.as_ref().is_none_or(|a| e.rank() < *a)).take(size + 1).collect();
    let next_page_token = cut(&mut page, size, |(e, _)| token(&e.rank()));
    Ok(v1::ListEscalationsResponse {
        escalations: page.into_iter().map(|(e, within)| talk::escalation(e, within)).collect(),
        next_page_token,
    })
}

type Rank = (Tier, u64, String);

/// Where the next page begins; a rank, so that alerts which come and go in between shift nothing.
fn token((tier, risk, id): &Rank) -> String {
    format!("{}.{risk:016x}.{id}", tier.name())
}

fn parse(token: &str) -> Result<Rank, Error> {
    let mut parts = token.splitn(3, '.');
    let (Some(tier), Some(risk), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong_token());
    };
    let tier = Tier::RAISED.into_iter().find(|t| t.name() == tier).ok_or_else(wrong_token)?;
    Ok((tier, u64::from_str_radix(risk, 16).map_err(|_| wrong_token())?, id.to_owned()))
}
