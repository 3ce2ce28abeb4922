//! `attune analyze`: texts in, readable or JSON assessments out; in this process or at a server.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::arguments::{AnalyzeOptions, Format};
use super::{executor, json, table, write_out};
use crate::api::grpc::analysis::AnalysisApi;
use crate::api::grpc::client::Client;
use crate::api::grpc::v1;
use crate::app::{self, Surroundings};
use crate::config::Config;
use crate::drift::Tenant;
use crate::error::{Error, ErrorKind};

/// Texts that are sent in one call.
const CHUNK_ITEMS: usize = 256;
/// Bytes of text that are sent in one call, below the server's message limit.
const CHUNK_BYTES: usize = 4 << 20;

enum Scorer {
    Here(AnalysisApi),
    There(Client),
}

impl Scorer {
    async fn score(
        &self,
        items: Vec<v1::BatchItem>,
        options: &v1::AnalysisOptions,
    ) -> Result<Vec<v1::ItemResult>, Error> {
        let request =
            v1::BatchAnalyzeTextRequest { items, options: Some(options.clone()), ..Default::default() };
        let answer = match self {
            Self::Here(api) => api.batch(request, Tenant::NONE, None).await?,
            Self::There(client) => client.batch(request).await?,
        };
        Ok(answer.results)
    }
}

pub(super) fn run(
    options: &AnalyzeOptions,
    config: &Config,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let request_options = request_options(options)?;
    let mut texts = texts(options, config.limits.text_bytes)?;
    executor()?.block_on(async {
        let scorer = match &options.server {
            Some(url) => Scorer::There(Client::connect(url).await?),
            None => Scorer::Here(AnalysisApi::new(app::build_models(config, surroundings)?, CHUNK_ITEMS)),
        };
        let mut output = Output::new(options.format);
        while let Some(chunk) = next_chunk(&mut texts)? {
            let items = chunk
                .iter()
                .map(|text| v1::BatchItem {
                    text: text.clone(),
                    language: options.language.clone().unwrap_or_default(),
                    ..v1::BatchItem::default()
                })
                .collect();
            let results = scorer.score(items, &request_options).await?;
            output.write(&chunk, results)?;
        }
        output.finish()
    })
}

fn request_options(options: &AnalyzeOptions) -> Result<v1::AnalysisOptions, Error> {
    let mut thresholds = HashMap::new();
    for pair in &options.threshold {
        let parsed = pair.split_once('=').and_then(|(label, p)| Some((label, p.trim().parse().ok()?)));
        let (label, p): (&str, f64) =
            parsed.ok_or_else(|| Error::invalid("--threshold", format!("expected LABEL=P, not {pair:?}")))?;
        thresholds.insert(label.trim().to_owned(), p);
    }
    Ok(v1::AnalysisOptions {
        sentences: Some(options.sentences),
        all_labels: options.all,
        thresholds,
        ..v1::AnalysisOptions::default()
    })
}

type Texts = Box<dyn Iterator<Item = Result<String, Error>>>;

/// The texts, read as they are needed.
fn texts(options: &AnalyzeOptions, text_bytes: usize) -> Result<Texts, Error> {
    if let Some(text) = &options.text {
        return Ok(Box::new(std::iter::once(Ok(text.clone()))));
    }
    let path = options.file.as_deref().filter(|p| p.as_os_str() != "-");
    let name = path.map_or_else(|| "standard input".to_owned(), |p| p.display().to_string());
    let mut source: Box<dyn BufRead> = match path {
        Some(path) => Box::new(std::io::BufReader::new(
            std::fs::File::open(path)
                .map_err(|e| Error::new(ErrorKind::NotFound, format!("{}: {e}", path.display())))?,
        )),
        None => Box::new(std::io::stdin().lock()),
    };
    if options.whole {
        let mut bytes = Vec::new();
        // One byte more than a text may have, so that the limit itself speaks.
        source
            .take(text_bytes as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::new(ErrorKind::Unavailable, format!("{name}: {e}")))?;
        return Ok(Box::new(std::iter::once(decode(bytes, &name, 1))));
    }
    let mut line = 0;
    Ok(Box::new(std::iter::from_fn(move || {
        line += 1;
        let mut bytes = Vec::new();
        match (&mut source).take(text_bytes as u64 + 2).read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                if bytes.last() != Some(&b'\n') {
                    // Over the limit, or the last line: what is left of it is no text of its own. The length that was read
                    // is enough for the limit to speak.
                    if let Err(e) = source.skip_until(b'\n') {
                        return Some(Err(Error::new(ErrorKind::Unavailable, format!("{name}: {e}"))));
                    }
                }
                while bytes.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
                    bytes.pop();
                }
                Some(decode(bytes, &name, line))
            }
            Err(e) => Some(Err(Error::new(ErrorKind::Unavailable, format!("{name}: {e}")))),
        }
    })))
}

fn decode(bytes: Vec<u8>, name: &str, line: usize) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|e| {
        Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{name}, line {line}: not UTF-8 from byte {} on; convert it first (iconv -f WINDOWS-1252 -t UTF-8)",
                e.utf8_error().valid_up_to() + 1
            ),
        )
    })
}

fn next_chunk(texts: &mut Texts) -> Result<Option<Vec<String>>, Error> {
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while chunk.len() < CHUNK_ITEMS && bytes < CHUNK_BYTES {
        let Some(text) = texts.next() else { break };
        let text = text?;
        bytes += text.len();
        chunk.push(text);
    }
    Ok((!chunk.is_empty()).then_some(chunk))
}

/// Writes results as they come; JSON arrays are opened and closed around them.
struct Output {
    format: Format,
    written: usize,
    failed: usize,
}

impl Output {
    fn new(format: Format) -> Self {
        Self { format, written: 0, failed: 0 }
    }

    fn write(&mut self, texts: &[String], results: Vec<v1::ItemResult>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        for (text, result) in texts.iter().zip(results) {
            self.failed += usize::from(matches!(result.outcome, Some(v1::item_result::Outcome::Error(_))));
            match self.format {
                Format::Table => table::render(text, &result, &mut bytes),
                Format::Jsonl => bytes.extend(json::line(text, &result)?),
                Format::Json => {
                    bytes.extend_from_slice(if self.written == 0 { b"[\n" } else { b",\n" });
                    bytes.extend(json::line(text, &result)?);
                    bytes.pop();
                }
            }
            self.written += 1;
        }
        write_out(&bytes)
    }

    fn finish(self) -> Result<(), Error> {
        if self.format == Format::Json {
            write_out(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        if self.failed > 0 {
            let message =
                format!("{} of {} texts could not be scored; each says why", self.failed, self.written);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}
