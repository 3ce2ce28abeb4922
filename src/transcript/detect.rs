//! Which format a file has: by what stands in it, and by its name where that leaves a doubt.

use serde_json::Value;

use super::assemble::refuse;
use super::{Format, ImportOptions, json, text, utf8, vtt};
use crate::error::Error;

/// The format of a file's bytes. The ending of `name` decides where the content does not.
///
/// Errors: `InvalidInput` for a file that is empty, not UTF-8, or of no known format; it lists the formats.
pub fn detect(bytes: &[u8], name: Option<&str>) -> Result<Format, Error> {
    let content = utf8(bytes)?;
    if content.trim().is_empty() {
        return Err(refuse("file", "is empty"));
    }
    let found = vtt::looks_like(content)
        .then_some(Format::WebVtt)
        .or_else(|| of_json(content))
        .or_else(|| text::looks_like(content, &ImportOptions::default()).then_some(Format::Text))
        .or_else(|| of_ending(name?));
    found.ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        refuse("file", format!("its format is not recognised; name one with --from, one of {names}"))
    })
}

fn of_json(content: &str) -> Option<Format> {
    if !content.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let value = json::first(content)?;
    let value = value.as_array().map_or(Some(&value), |items| items.first())?;
    let has = |key: &str| value.get(key).is_some();
    let any = |keys: &[&str]| keys.iter().any(|key| has(key));
    let found = [
        (has("turns"), Format::Jsonl),
        (any(&["conversation_parts", "conversations"]) || is_intercom(value), Format::Intercom),
        (any(&["comments", "ticket"]), Format::Zendesk),
        (has("Segments"), Format::ConnectLens),
        (
            has("Transcript") && any(&["Participants", "LanguageCode", "Channel", "CustomerMetadata"]),
            Format::ConnectLens,
        ),
        (has("Transcript") || (any(&["Content", "ContentType"]) && has("AbsoluteTime")), Format::ConnectChat),
    ];
    found.into_iter().find_map(|(fits, format)| fits.then_some(format))
}

fn is_intercom(value: &Value) -> bool {
    value.get("type").and_then(Value::as_str) == Some("conversation")
}

fn of_ending(name: &str) -> Option<Format> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "vtt" => Some(Format::WebVtt),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "txt" | "log" => Some(Format::Text),
        _ => None,
    }
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
