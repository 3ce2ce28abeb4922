//! `attune conversation`: transcripts in, one conversation after the other out; in this process or at a server.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::arguments::{ConversationOptions, Format as Output};
use super::{conversation_json, conversation_table, executor, write_out};
use crate::api::grpc::client::Client;
use crate::api::grpc::conversation::ConversationApi;
use crate::api::grpc::{request_of, v1};
use crate::app::{self, Surroundings};
use crate::batching::Entrance;
use crate::config::Config;
use crate::domain::{Channel, Conversation};
use crate::error::{Error, ErrorKind};
use crate::transcript::{self, FILE_BYTES, Format, Import, ImportOptions, RoleMap, Skipped};

enum Reader {
    Here(Box<ConversationApi>),
    There(Client),
}

impl Reader {
    async fn read(
        &self,
        request: v1::AnalyzeConversationRequest,
    ) -> Result<v1::AnalyzeConversationResponse, Error> {
        match self {
            Self::Here(api) => api.analyze(request, Entrance::Wait, None).await,
            Self::There(client) => client.conversation(request).await,
        }
    }
}

pub(super) fn run(
    options: &ConversationOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let import = import(options)?;
    let chosen = chosen(import.conversations, options.id.as_deref())?;
    tell_skipped(&import.skipped);
    executor()?.block_on(async {
        let reader = match &options.server {
            Some(url) => Reader::There(Client::connect(url).await?),
            None => {
                let monitor = Arc::new(app::build_monitor(config)?);
                let models = app::build_models(config, surroundings)?;
                Reader::Here(Box::new(ConversationApi::new(
                    models,
                    monitor,
                    config.limits.conversation_turns,
                    CancellationToken::new(),
                )))
            }
        };
        let (many, mut failed) = (chosen.len(), 0);
        for (n, conversation) in chosen.iter().enumerate() {
            let answer = reader.read(request_of(conversation)).await;
            failed += usize::from(answer.is_err());
            write_out(&rendered(options.format, conversation, answer, n, many)?)?;
        }
        if options.format == Output::Json {
            write_out(if many == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        if failed > 0 {
            let problem = format!("{failed} of {many} conversations could not be read; each says why");
            return Err(Error::new(ErrorKind::InvalidInput, problem));
        }
        Ok(())
    })
}

fn rendered(
    format: Output,
    conversation: &Conversation,
    answer: Result<v1::AnalyzeConversationResponse, Error>,
    n: usize,
    many: usize,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    match format {
        Output::Table if many > 1 && n > 0 => out.push(b'\n'),
        Output::Json => out.extend_from_slice(if n == 0 { b"[\n" } else { b",\n" }),
        Output::Table | Output::Jsonl => {}
    }
    match (answer, format) {
        (Ok(answer), Output::Table) => conversation_table::render(conversation, &answer, &mut out),
        (Ok(answer), _) => out.extend(conversation_json::row(conversation, &answer)?),
        (Err(error), Output::Table) => conversation_table::refused(conversation, &error, &mut out),
        (Err(error), _) => out.extend(conversation_json::refused(conversation, &error)?),
    }
    if format == Output::Jsonl {
        out.push(b'\n');
    }
    Ok(out)
}

fn import(options: &ConversationOptions) -> Result<Import, Error> {
    let (bytes, name) = contents(&options.file)?;
    // The message says the line or the path already.
    let within = |e: Error| Error::new(e.kind(), format!("{name}: {}", e.public()));
    let format = match &options.from {
        Some(given) => Format::of_name(given).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            Error::invalid("--from", format!("expected one of {names}"))
        })?,
        None => transcript::detect(&bytes, Some(&name)).map_err(within)?,
    };
    transcript::import(&bytes, format, &import_options(options, &name)?).map_err(within)
}

fn import_options(options: &ConversationOptions, name: &str) -> Result<ImportOptions, Error> {
    let roles = RoleMap::parse(options.role.iter().map(String::as_str))
        .map_err(|e| Error::invalid("--role", e.public().to_owned()))?;
    let channel = options.channel.as_deref().map(|name| {
        let names = || Channel::ALL.map(Channel::name).join(", ");
        Channel::of_name(name)
            .ok_or_else(|| Error::invalid("--channel", format!("expected one of {}", names())))
    });
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Ok(ImportOptions {
        roles,
        clean: !options.keep_quoted,
        channel: channel.transpose()?,
        language: options.language.clone(),
        tenant: options.tenant.clone(),
        id: stem.filter(|stem| !stem.is_empty() && stem != "-"),
    })
}

/// The file's bytes, bounded, and what messages call it.
fn contents(path: &Path) -> Result<(Vec<u8>, String), Error> {
    let name = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let fail = |e: std::io::Error| Error::unread(&name, &e);
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(fail)?)
    };
    let mut bytes = Vec::new();
    // One byte more than a file may have, so that the limit itself speaks.
    source.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok((bytes, name))
}

fn chosen(conversations: Vec<Conversation>, id: Option<&str>) -> Result<Vec<Conversation>, Error> {
    let Some(id) = id else { return Ok(conversations) };
    let many = conversations.len();
    let found: Vec<_> = conversations.into_iter().filter(|c| c.id == id).collect();
    if found.is_empty() {
        let problem = format!("none of the file's {many} conversations has this id");
        return Err(Error::new(ErrorKind::NotFound, format!("--id: {problem}")));
    }
    Ok(found)
}

/// What was left out is said, but not in the way of the results.
fn tell_skipped(skipped: &Skipped) {
    let mut stderr = anstream::stderr().lock();
    for line in skipped.lines() {
        let _ = writeln!(stderr, "attune: {line}");
    }
}
