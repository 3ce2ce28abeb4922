//! From a row to an interaction. No reason quotes a cell.

use crate::domain::Channel;
use crate::error::Error;
use crate::jobs::columns::{asked, customer_column, language_tag, listed, usual};
use crate::jobs::read::normal;
use crate::jobs::read::score;
use crate::jobs::{Row, ScoreKind, Table, times};
use crate::pipeline::customers::interaction::AHEAD_MS;
use crate::pipeline::customers::{Content, Interaction, check_id};

/// Usual names of the column that says which customer it is, the surest first.
const CUSTOMER: [&str; 24] = [
    "customer id",
    "customerid",
    "customer",
    "customer number",
    "external customer id",
    "account id",
    "accountid",
    "account",
    "client id",
    "client",
    "contact id",
    "contactid",
    "contact",
    "organization id",
    "organisation id",
    "company id",
    "requester id",
    "requester",
    "user id",
    "customer email",
    "requester email",
    "contact email",
    "email",
    "e mail",
];
/// Usual names of the column with the channel.
const CHANNEL: [&str; 7] =
    ["channel", "via", "via channel", "source channel", "ticket channel", "medium", "origin"];
/// What exports call the channels.
const CHANNELS: [(&str, Medium); 28] = [
    ("email", Medium::Talk(Channel::Email)),
    ("e mail", Medium::Talk(Channel::Email)),
    ("mail", Medium::Talk(Channel::Email)),
    ("ticket", Medium::Talk(Channel::Email)),
    ("web", Medium::Talk(Channel::Email)),
    ("web form", Medium::Talk(Channel::Email)),
    ("chat", Medium::Talk(Channel::Chat)),
    ("live chat", Medium::Talk(Channel::Chat)),
    ("messaging", Medium::Talk(Channel::Chat)),
    ("native messaging", Medium::Talk(Channel::Chat)),
    ("whatsapp", Medium::Talk(Channel::Chat)),
    ("in app", Medium::Talk(Channel::Chat)),
    ("phone", Medium::Talk(Channel::Phone)),
    ("voice", Medium::Talk(Channel::Phone)),
    ("call", Medium::Talk(Channel::Phone)),
    ("telephone", Medium::Talk(Channel::Phone)),
    ("social", Medium::Talk(Channel::Social)),
    ("twitter", Medium::Talk(Channel::Social)),
    ("x", Medium::Talk(Channel::Social)),
    ("facebook", Medium::Talk(Channel::Social)),
    ("instagram", Medium::Talk(Channel::Social)),
    ("linkedin", Medium::Talk(Channel::Social)),
    ("sms", Medium::Talk(Channel::Sms)),
    ("text message", Medium::Talk(Channel::Sms)),
    ("survey", Medium::Survey),
    ("nps", Medium::Survey),
    ("csat", Medium::Survey),
    ("unknown", Medium::Talk(Channel::Unknown)),
];

/// How an interaction was led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Medium {
    Talk(Channel),
    Survey,
}

/// What somebody says of the rows, beside the columns that the reader knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The column with the customer; `None` goes by the usual names.
    pub customer: Option<String>,
    /// Columns with texts were named, so several of them are one text.
    pub texts_named: bool,
    /// The column with the channel; `None` goes by the usual names, unless `channel` is given.
    pub channel_column: Option<String>,
    /// The channel of all rows, or of those that name none.
    pub channel: Option<String>,
    /// The system that the rows come from.
    pub source: String,
    /// The tenant.
    pub tenant: String,
    /// Language of all texts (BCP 47), instead of what the rows say.
    pub language: Option<String>,
}

/// Which column is what.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    customer: usize,
    texts: Vec<usize>,
    time: usize,
    id: Option<usize>,
    channel: Option<usize>,
    score: Option<(usize, ScoreKind)>,
    language_column: Option<usize>,
    fallback: Medium,
    source: String,
    tenant: String,
    language: Option<String>,
}

impl Mapping {
    /// Finds the columns. Errors: `InvalidInput` with the flag, for what is not there or not clear.
    pub fn find(table: &Table, choice: &Choice) -> Result<Self, Error> {
        let (columns, layout) = (&table.columns, &table.layout);
        check_id(&choice.source, "source", true)?;
        check_id(&choice.tenant, "tenant", false)?;
        let customer = customer_column(columns, choice.customer.as_deref(), &CUSTOMER)?;
        let time = layout.time.ok_or_else(|| {
            let problem = "no column was found to hold the time; name one with --time-column";
            Error::invalid("time-column", format!("{problem}. There are {}", listed(columns)))
        })?;
        let texts: Vec<usize> = layout.text.iter().copied().filter(|at| *at != customer).collect();
        if texts.len() > 1 && !choice.texts_named {
            let names: Vec<&str> = texts.iter().map(|at| columns[*at].name.as_str()).collect();
            let problem = format!("several columns hold free text: {}", names.join(", "));
            let advice = "name those that the customer wrote with --text-column";
            return Err(Error::invalid("text-column", format!("{problem}; {advice}")));
        }
        Ok(Self {
            customer,
            texts,
            time,
            id: layout.id.filter(|at| *at != customer),
            channel: match (&choice.channel_column, &choice.channel) {
                (Some(given), _) => Some(asked(columns, "channel-column", given)?),
                (None, Some(_)) => None,
                (None, None) => usual(columns, &CHANNEL),
            },
            score: layout.score,
            language_column: layout.language,
            fallback: match &choice.channel {
                None => Medium::Talk(Channel::Unknown),
                Some(given) => medium(given).ok_or_else(|| {
                    Error::invalid("channel", "expected chat, email, phone, social, sms or survey")
                })?,
            },
            source: choice.source.clone(),
            tenant: choice.tenant.clone(),
            language: choice.language.clone(),
        })
    }

    /// What was found beside the reader's own notes, a line each, for people.
    pub fn notes(&self, table: &Table) -> Vec<String> {
        let note = |at: usize, what: &str| format!("column {} {:?}: {what}", at + 1, table.columns[at].name);
        let mut notes = vec![note(self.customer, "the customer")];
        notes.extend(self.channel.map(|at| note(at, "the channel")));
        if self.id.is_none() {
            let told = "no column has the row's id: a row is known by its content and its place, so the same rows in \
                        another order are recorded again; --id-column names one";
            notes.push(told.into());
        }
        notes
    }

    /// What decides which interactions the rows become.
    pub(super) fn describe(&self) -> String {
        format!("{self:?}")
    }

    /// The interaction of a row. Errors: `InvalidInput` with what is wrong.
    pub(super) fn interaction(&self, row: &Row, now_ms: i64) -> Result<Interaction, Error> {
        let customer = self.cell(row, self.customer).trim();
        check_id(customer, "customer", true)?;
        let at_ms = times::moment(self.cell(row, self.time))
            .ok_or_else(|| Error::invalid("time", times::EXPECTED))?;
        if at_ms > now_ms + AHEAD_MS {
            return Err(Error::invalid("time", "lies in the future"));
        }
        let (nps, csat) = self.score(row)?;
        let content = self.content(row, nps.is_some() || csat.is_some())?;
        let said = self.language_column.and_then(|at| language_tag(self.cell(row, at)));
        let interaction = Interaction {
            tenant: self.tenant.clone(),
            customer: customer.to_owned(),
            source: self.source.clone(),
            external_id: self.external_id(row)?,
            at_ms,
            channel: match self.medium(row) {
                Medium::Talk(channel) => channel,
                Medium::Survey => Channel::Unknown,
            },
            language: self.language.clone().or(said),
            content,
            nps,
            csat,
        };
        interaction.check()?;
        Ok(interaction)
    }

    fn cell<'r>(&self, row: &'r Row, at: usize) -> &'r str {
        row.cells.get(at).map_or("", String::as_str)
    }

    fn content(&self, row: &Row, scored: bool) -> Result<Content, Error> {
        let texts = self.texts.iter().map(|at| self.cell(row, *at).trim()).filter(|text| !text.is_empty());
        let text = texts.collect::<Vec<_>>().join("\n\n");
        match (text.is_empty(), self.medium(row)) {
            (true, _) if !scored => Err(Error::invalid("text", "is empty, and there is no score")),
            (true, _) | (false, Medium::Survey) => Ok(Content::Survey(text)),
            (false, Medium::Talk(_)) => Ok(Content::Message(text)),
        }
    }

    fn medium(&self, row: &Row) -> Medium {
        let named = self.channel.map(|at| self.cell(row, at)).filter(|cell| !cell.trim().is_empty());
        // A channel that nobody knows is no reason to lose what was said in it.
        named.map_or(self.fallback, |cell| medium(cell).unwrap_or(Medium::Talk(Channel::Unknown)))
    }

    fn score(&self, row: &Row) -> Result<(Option<u8>, Option<f64>), Error> {
        let Some((at, kind)) = self.score else { return Ok((None, None)) };
        let cell = self.cell(row, at);
        if cell.trim().is_empty() {
            return Ok((None, None));
        }
        match (kind, score(cell)) {
            (ScoreKind::Nps, Some(nps)) if nps <= 10 => Ok((Some(nps), None)),
            (ScoreKind::Csat(most), Some(csat)) if (1..=most).contains(&csat) => {
                Ok((None, Some(f64::from(csat - 1) / f64::from(most.max(2) - 1))))
            }
            (ScoreKind::Nps, _) => Err(Error::invalid("score", "expected a whole number from 0 to 10")),
            (ScoreKind::Csat(most), _) => {
                Err(Error::invalid("score", format!("expected a whole number from 1 to {most}")))
            }
        }
    }

    /// The row's id; without a column for it, its place and a hash of all that it says.
    fn external_id(&self, row: &Row) -> Result<String, Error> {
        if let Some(at) = self.id {
            let id = self.cell(row, at).trim();
            check_id(id, "id", true)?;
            return Ok(id.to_owned());
        }
        let mut hasher = blake3::Hasher::new();
        for cell in &row.cells {
            hasher.update(&(cell.len() as u64).to_le_bytes()).update(cell.as_bytes());
        }
        Ok(format!("row-{}-{}", row.number, &hasher.finalize().to_hex()[..32]))
    }
}

fn medium(name: &str) -> Option<Medium> {
    let name = normal(name);
    CHANNELS.iter().find(|(known, _)| *known == name).map(|(_, medium)| *medium)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
