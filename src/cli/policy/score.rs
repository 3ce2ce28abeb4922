//! From conversations of a file to what escalation hears in them: each turn through the model in this process, once.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::super::history::Record;
use super::super::{executor, progress};
use crate::app::{self, Surroundings};
use crate::batching::{Entrance, Lane};
use crate::config::Config;
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};
use crate::escalation::replay::Case;
use crate::escalation::{Heard, Policies};
use crate::pipeline::conversation::{TurnOptions, listen};
use crate::pipeline::{AnalysisOptions, Analyzer, Call};

/// Turns that are read at once: enough short ones to keep many workers busy.
const IN_FLIGHT: usize = 128;

/// The cases under each of `policies`. Quiet words belong to a policy, so each listens for itself; the second time, what
/// the model says comes from the cache.
pub(super) fn score<const N: usize>(
    records: &[Record],
    policies: [&Policies; N],
    config: &Config,
    surroundings: &Surroundings,
) -> Result<[Vec<Case>; N], Error> {
    executor()?.block_on(async {
        let models = app::build_models(config, surroundings)?;
        let mut scored = [const { Vec::new() }; N];
        for (cases, policies) in scored.iter_mut().zip(policies) {
            *cases = cases_of(records, policies, &models.default_model()).await?;
        }
        Ok(scored)
    })
}

async fn cases_of(records: &[Record], policies: &Policies, analyzer: &Analyzer) -> Result<Vec<Case>, Error> {
    let options = TurnOptions::resolve(&AnalysisOptions::default(), analyzer)?;
    let places =
        records.iter().flat_map(|record| (0..record.conversation.turns.len()).map(move |n| (record, n)));
    let heard = stream::iter(places).map(|(record, n)| hear(record, n, policies, analyzer, &options));
    let mut heard = std::pin::pin!(heard.buffered(IN_FLIGHT));
    let (mut cases, progress) =
        (Vec::with_capacity(records.len()), progress::counting(records.len(), "conversations read"));
    for record in records {
        let mut turns = Vec::with_capacity(record.conversation.turns.len());
        while turns.len() < record.conversation.turns.len() {
            turns.extend(heard.try_next().await?);
        }
        cases.push(case(record, turns));
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(cases)
}

async fn hear(
    record: &Record,
    place: usize,
    policies: &Policies,
    analyzer: &Analyzer,
    options: &TurnOptions,
) -> Result<Heard, Error> {
    let conversation = &record.conversation;
    let rules = policies.rules(conversation.tenant.as_deref(), conversation.channel);
    let call = Call { lane: Lane::Bulk, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE };
    let language = conversation.language.as_deref();
    let listened = listen(analyzer, &rules, &conversation.turns[place], language, options, call).await;
    listened.map(|listened| listened.heard).map_err(|e| {
        Error::new(e.kind(), format!("line {}, turns[{place}]: {}", record.line, e.public())).with_source(e)
    })
}

fn case(record: &Record, turns: Vec<Heard>) -> Case {
    Case {
        id: record.conversation.id.clone(),
        channel: record.conversation.channel,
        tenant: record.conversation.tenant.clone(),
        account: record.account.clone(),
        turns,
        outcome: record.outcome.unwrap_or_default(),
    }
}

/// Fails for conversations whose outcome nobody has marked.
pub(super) fn check_outcomes(records: &[Record]) -> Result<(), Error> {
    if records.is_empty() {
        return Err(Error::invalid("data", "has no conversations"));
    }
    match records.iter().find(|record| record.outcome.is_none()) {
        Some(record) => {
            let message =
                format!("line {}: outcome: is missing; expected at least outcome.escalated", record.line);
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
        None => Ok(()),
    }
}
