//! Interactions of customers: read, freed of what identifies a person, kept once, and told.
//!
//! [`interaction`] is what comes in; `reading` is what the model says of it, as JSON without text; [`keeping`] decides
//! what stays of the text; [`deciding`] is what a store asks inside its transaction; [`upkeep`] needs no model. Whoever calls twice with the same
//! source and external id has done so once.

pub mod deciding;
pub mod interaction;
pub mod keeping;
mod reading;
pub mod upkeep;

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;

use super::conversation::{self, PolicySource, TurnOptions};
use super::models::{ModelName, Models, PerModel};
use super::options::{AnalysisOptions, ResolvedOptions};
use super::{Analyzer, BlockText, Call};
use crate::batching::Entrance;
use crate::domain::{Assessment, Channel, Conversation};
use crate::drift::Tenant;
use crate::error::Error;
use crate::escalation::risk::Account as RiskAccount;
use crate::escalation::{Rules, TurnSignals};
use crate::lifecycle::Account;
use crate::storage::{AuditRow, Counts, CustomerKey, Record, Recorded, Store};

pub use crate::events::signal_id as event_id;
pub use deciding::Deciding;
pub use interaction::{Content, Interaction, check_id, check_time};
pub use keeping::{Keep, Keeping};
pub use reading::LEAN;

/// Interactions that are read at the same time of one call or batch.
const IN_FLIGHT: usize = 256;

/// What everybody who records shares.
pub struct Customers {
    models: Models,
    policies: PolicySource,
    store: Arc<dyn Store>,
    keeping: Keeping,
    deciding: Deciding,
    ears: PerModel<Ear>,
    news: watch::Sender<u64>,
}

/// How a model is asked.
struct Ear {
    options: Arc<ResolvedOptions>,
    turns: TurnOptions,
}

/// The model that reads one call's interactions.
struct Reader {
    analyzer: Arc<Analyzer>,
    ear: Arc<Ear>,
}

/// An interaction that was read, and is not yet kept.
#[derive(Debug, Clone)]
pub struct Read {
    /// What is kept.
    pub record: Record,
    /// What was read in a message's text; a conversation has one per turn, which are not kept apart.
    pub assessment: Option<Assessment>,
}

impl Customers {
    /// Joins models with a store: whatever the default is when an interaction comes reads it.
    pub fn new(
        models: Models,
        policies: PolicySource,
        store: Arc<dyn Store>,
        keeping: Keeping,
        deciding: Deciding,
    ) -> Self {
        let (ears, news) = (PerModel::default(), watch::Sender::default());
        Self { models, policies, store, keeping, deciding, ears, news }
    }

    /// Errors: those of the options, which fit every model with heads.
    fn reader(&self) -> Result<Reader, Error> {
        let analyzer = self.models.default_model();
        let ear = self.ears.get(&analyzer, |analyzer| {
            // Every label's probability: strengths of cues are measured against thresholds below them too.
            let options = Arc::new(AnalysisOptions::default().resolve(analyzer.manifest())?);
            let turns = TurnOptions::resolve(&AnalysisOptions::default(), analyzer)?;
            Ok(Ear { options, turns })
        })?;
        Ok(Reader { analyzer, ear })
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What is decided from.
    pub fn deciding(&self) -> &Deciding {
        &self.deciding
    }

    /// What is kept of texts, and by which key.
    pub fn keeping(&self) -> &Keeping {
        &self.keeping
    }

    /// Reads interactions, many at a time; answers in their order. `now_ms` is when they were received. Errors, one by
    /// one: as [`Analyzer::analyze`], with the field.
    pub async fn read(
        &self,
        interactions: Vec<Interaction>,
        call: Call,
        now_ms: i64,
    ) -> Vec<Result<Read, Error>> {
        let work: Vec<_> =
            interactions.into_iter().map(|interaction| self.read_one(interaction, call, now_ms)).collect();
        stream::iter(work).buffered(IN_FLIGHT).collect().await
    }

    /// Reads messages and surveys so that what is read follows from the block alone, bit for bit (as
    /// [`Analyzer::analyze_block`]), which [`Self::read`] does not promise; answers in their order. Padded tokens of a batch
    /// are at most `batch_tokens`.
    ///
    /// Errors: those that are not an interaction's own. An interaction's own: as [`Analyzer::analyze`], with the field;
    /// `InvalidInput` for a conversation.
    pub async fn read_block(
        &self,
        interactions: &[Interaction],
        batch_tokens: usize,
        now_ms: i64,
    ) -> Result<Vec<Result<Read, Error>>, Error> {
        let texts: Vec<Result<BlockText, Error>> = interactions.iter().map(block_text).collect();
        let block = texts.iter().filter_map(|text| text.as_ref().ok()).cloned().collect();
        let reader = self.reader()?;
        let read = reader.analyzer.analyze_block(block, &reader.ear.options, batch_tokens).await?;
        let mut read = read.into_iter();
        let told = interactions.iter().zip(texts).map(|(interaction, text)| {
            let text = text?.text;
            let assessment = read.next().unwrap_or_else(|| Err(Error::internal("a text was not read")))?;
            self.told(&reader, interaction, &text, assessment, now_ms)
        });
        Ok(told.collect())
    }

    /// Reads one interaction. Errors: as [`Analyzer::analyze`], with the field.
    pub async fn read_one(&self, interaction: Interaction, call: Call, now_ms: i64) -> Result<Read, Error> {
        interaction.check()?;
        interaction.check_not_ahead(now_ms)?;
        let call = Call { tenant: Tenant::of(&interaction.tenant), ..call };
        match &interaction.content {
            Content::Message(text) | Content::Survey(text) => {
                self.read_text(&interaction, text, call, now_ms).await
            }
            Content::Conversation(turns) => {
                let talk = Conversation {
                    id: interaction.external_id.clone(),
                    channel: interaction.channel,
                    language: interaction.language.clone(),
                    turns: turns.clone(),
                    ..Conversation::default()
                };
                self.read_talk(&interaction, &talk, call, now_ms).await
            }
        }
    }

    /// Keeps what was read, all or none; answers in the order of the records. Errors: those of the store.
    pub async fn keep(&self, records: &[Record]) -> Result<Vec<Recorded>, Error> {
        let recorded = self.store.record(records, &self.deciding).await?;
        if recorded.iter().any(|one| !one.signals.is_empty()) {
            self.news.send_modify(|told| *told += 1);
        }
        Ok(recorded)
    }

    /// Takes over what a CRM says of customers. Errors: `InvalidInput` with the field, and those of the store.
    pub async fn import(&self, accounts: &[(CustomerKey, Account)], now_ms: i64) -> Result<(), Error> {
        let model = ModelName::of(self.models.default_model().manifest()).to_string();
        let deciding = Deciding { model, ..self.deciding.clone() };
        upkeep::import(&*self.store, &deciding, accounts, now_ms).await?;
        self.news.send_modify(|told| *told += 1);
        Ok(())
    }

    /// Changes whenever there may be new signals of this process; other processes' are found by looking.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Takes a customer out of the store, and leaves a receipt. `actor` is who asks for it. Errors: `InvalidInput`, and
    /// those of the store.
    pub async fn erase(
        &self,
        key: &CustomerKey,
        actor: &str,
        now_ms: i64,
    ) -> Result<(Counts, AuditRow), Error> {
        upkeep::erase(&*self.store, self.keeping.key(), key, actor, now_ms).await
    }

    async fn read_text(
        &self,
        interaction: &Interaction,
        text: &str,
        call: Call,
        now_ms: i64,
    ) -> Result<Read, Error> {
        let (reader, language) = (self.reader()?, interaction.language.as_deref());
        let read = reader.analyzer.analyze(text, language, &reader.ear.options, call).await;
        let assessment = read.map_err(|e| e.within(interaction.content.kind()))?;
        self.told(&reader, interaction, text, assessment, now_ms)
    }

    /// What is kept of a text that was read.
    fn told(
        &self,
        reader: &Reader,
        interaction: &Interaction,
        text: &str,
        assessment: Assessment,
        now_ms: i64,
    ) -> Result<Read, Error> {
        let quiet = |label: &str, spans: &[_]| self.rules(interaction).is_quiet(text, label, spans);
        let signals = TurnSignals::of(text, &assessment, quiet);
        let (text, body) = self.keeping.message(text, &assessment)?;
        let heard = reading::Heard::message(&assessment, signals.as_ref());
        let record = self.record(reader, interaction, (now_ms, body), text, heard);
        Ok(Read { record, assessment: Some(assessment) })
    }

    async fn read_talk(
        &self,
        interaction: &Interaction,
        talk: &Conversation,
        call: Call,
        now_ms: i64,
    ) -> Result<Read, Error> {
        let (reader, rules) = (self.reader()?, self.rules(interaction));
        let (account, turns) = (RiskAccount::new(), &reader.ear.turns);
        let read = conversation::read(&reader.analyzer, &rules, talk, account, turns, call).await;
        let read = read.map_err(|e| e.within(interaction.content.kind()))?;
        let text = self.keeping.conversation(talk);
        let heard = reading::Heard::conversation(interaction, &read, &rules);
        let body = reading::conversation(&read)?;
        let record = self.record(&reader, interaction, (now_ms, body), text, heard);
        Ok(Read { record, assessment: None })
    }

    fn rules(&self, interaction: &Interaction) -> Arc<Rules> {
        let tenant = Some(interaction.tenant.as_str()).filter(|tenant| !tenant.is_empty());
        self.policies.borrow().rules(tenant, interaction.channel)
    }

    fn record(
        &self,
        reader: &Reader,
        interaction: &Interaction,
        (now_ms, body): (i64, String),
        text: crate::storage::KeptText,
        heard: reading::Heard,
    ) -> Record {
        let model = ModelName::of(reader.analyzer.manifest()).to_string();
        heard.record(interaction, (now_ms, model, body), text, self.keeping.key())
    }
}

fn block_text(interaction: &Interaction) -> Result<BlockText, Error> {
    interaction.check()?;
    match &interaction.content {
        Content::Message(text) | Content::Survey(text) => {
            Ok(BlockText { text: text.clone(), language: interaction.language.clone() })
        }
        Content::Conversation(_) => {
            Err(Error::invalid("content", "conversations are read one by one, not in blocks"))
        }
    }
}

/// How a batch of interactions waits: in the bulk lane, as long as it takes.
pub fn bulk() -> Call {
    let lane = crate::batching::Lane::Bulk;
    Call { lane, entrance: Entrance::Wait, deadline: None, tenant: Tenant::NONE }
}

/// The channel of a survey is none; a message without one is of the unknown one.
pub(super) fn channel_name(content: &Content, channel: Channel) -> &'static str {
    match content {
        Content::Survey(_) => crate::lifecycle::channel::Medium::SURVEY,
        Content::Message(_) | Content::Conversation(_) => channel.name(),
    }
}
