//! Mappings: templates that make of an event what another system takes (MiniJinja, `docs/sinks.md`).
//!
//! Whatever a template prints becomes one JSON value, with its quotes; a customer's name can't break out of it, and there is
//! no way to switch that off. What comes out must be JSON. A template sees the event and nothing else: no files, no other
//! templates, no environment; its steps and its output are bounded.

use std::io::{self, Read, Write};
use std::path::Path;

use minijinja::value::{Serde, Value as Printed};
use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, context};
use serde_json::Value;

use crate::error::{self, Error};
use crate::events;

/// The mappings that come with attune, by name.
const PRESETS: [(&str, &str); 4] = [
    ("hubspot", include_str!("../../config/mappings/hubspot.json.jinja")),
    ("salesforce", include_str!("../../config/mappings/salesforce.json.jinja")),
    ("segment", include_str!("../../config/mappings/segment.json.jinja")),
    ("zendesk", include_str!("../../config/mappings/zendesk.json.jinja")),
];
/// Largest template, in bytes.
const TEMPLATE_BYTES: u64 = 256 << 10;
/// Steps of one rendering: a thousand times what a preset takes, and some milliseconds.
const FUEL: u64 = 100_000;
/// Largest output, in bytes: what CRMs take at most is a fraction of it.
const OUTPUT_BYTES: usize = 1 << 20;
/// What is taken out of the template language: marking text as safe would let a customer's name change the structure, and
/// a namespace lets a loop grow a text without end.
const REMOVED_FILTERS: [&str; 4] = ["safe", "escape", "e", "tojson"];
const TEMPLATE: &str = "mapping";

/// A template, ready to be rendered.
#[derive(Debug)]
pub struct Mapping {
    environment: Environment<'static>,
}

impl Mapping {
    /// The preset of that name, or else the template in the file of that path. Errors: `NotFound`, or `InvalidInput` with the
    /// line at fault.
    pub fn load(name: &str) -> Result<Self, Error> {
        match PRESETS.into_iter().find(|(preset, _)| *preset == name) {
            Some((_, text)) => Self::parse(text),
            None => Self::parse(&read(Path::new(name))?),
        }
    }

    /// Reads a template. Error: `InvalidInput` with the line at fault.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(print);
        environment.set_fuel(Some(FUEL));
        environment.remove_global("namespace");
        environment.remove_global("debug");
        REMOVED_FILTERS.iter().for_each(|name| environment.remove_filter(name));
        environment.add_template_owned(TEMPLATE, text.to_owned()).map_err(|e| wrong(&e))?;
        Ok(Self { environment })
    }

    /// Tries the template on made-up events of these kinds, so that a mistake is said at start and not by dead letters.
    /// Error: `InvalidInput` with the kind and the line at fault.
    pub fn check<'a>(&self, kinds: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        for kind in kinds {
            for sample in events::samples(kind)? {
                let tried = self.render(&sample.body);
                tried.map_err(|e| Error::invalid("mapping", format!("with a {kind}: {}", e.public())))?;
            }
        }
        Ok(())
    }

    /// What becomes of the event with this envelope: compact JSON. Error: `InvalidInput` with the line at fault, and nothing
    /// of the event.
    pub fn render(&self, envelope: &str) -> Result<String, Error> {
        let event: Value = serde_json::from_str(envelope).map_err(error::Error::internal)?;
        let template = self.environment.get_template(TEMPLATE).map_err(|e| wrong(&e))?;
        let mut output = Bounded(Vec::new());
        let event = Printed::from(Serde(&event));
        let data = event.get_attr("data").map_err(|e| wrong(&e))?;
        let context = context! { data => data, event => event };
        template.render_captured_to(context, &mut output).map_err(|e| wrong(&e))?;
        let value: Value = serde_json::from_slice(&output.0).map_err(|e| no_json(&e))?;
        serde_json::to_string(&value).map_err(error::Error::internal)
    }
}

/// Prints any value as JSON, whatever the template says of escaping.
fn print(out: &mut Output, _: &mut State, value: &Printed) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(minijinja::Error::from(ErrorKind::UndefinedError));
    }
    let json = serde_json::to_string(value);
    let json = json.map_err(|_| minijinja::Error::from(ErrorKind::BadSerialization))?;
    out.write_str(&json).map_err(minijinja::Error::from)
}

/// Takes no more than [`OUTPUT_BYTES`].
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES {
            return Err(io::Error::other("the output is larger than a mebibyte"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The kind of a mistake and its line; what else MiniJinja says may hold values of the event, except of the syntax.
fn wrong(error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = match error.kind() {
        ErrorKind::SyntaxError => error.detail().map(|d| format!(": {d}")).unwrap_or_default(),
        _ => String::new(),
    };
    Error::invalid("mapping", format!("{line}{}{detail}", error.kind()))
}

/// Where the output stops being JSON.
fn no_json(error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let hint = "a printed value brings its own quotes: {{ x }}, not \"{{ x }}\"";
    Error::invalid("mapping", format!("the output is no JSON at its {place}; {hint}"))
}

fn read(path: &Path) -> Result<String, Error> {
    let presets = PRESETS.map(|(name, _)| name).join(", ");
    let fail =
        |e: io::Error| Error::unread(format!("mapping {} (the presets are {presets})", path.display()), &e);
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(TEMPLATE_BYTES + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > TEMPLATE_BYTES {
        let problem = format!("{} is larger than {TEMPLATE_BYTES} bytes", path.display());
        return Err(Error::invalid("mapping", problem));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
