//! The commands. Results go to standard output, everything else to standard error; exit codes follow `sysexits.h`.

mod analyze;
mod arguments;
mod calibrate;
mod conversation;
mod conversation_json;
mod conversation_table;
mod diff;
mod drift;
mod eval;
mod history;
mod jobs;
mod json;
mod labelled;
mod models;
mod paint;
mod policy;
mod progress;
mod score;
mod score_input;
mod serve;
mod store;
mod table;
mod worker;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use clap::{CommandFactory, Parser};
use tokio_util::sync::CancellationToken;

use crate::app::models::{ReadAgain, Reload};
use crate::app::{Environment, Surroundings};
use crate::config::{Config, Sources};
use crate::error::{Error, ErrorKind};
use crate::runtime;
use crate::telemetry::logs;
use arguments::{Arguments, Command, Settings};

/// Runs the command that `arguments` name and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output, mistakes to standard error; a closed pipe is no news.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match dispatch(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = anstream::stderr().lock();
            let _ = writeln!(stderr, "attune: {}", error.told());
            if !error.causes().is_empty() {
                let _ = writeln!(stderr, "  because: {}", error.causes());
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<(), Error> {
    let settings = &arguments.settings;
    let quiet = || load_quietly(settings);
    match arguments.command {
        Command::Serve(options) => {
            let config = load(settings, options.flags())?;
            start_logs(&config)?;
            serve::run(config, surroundings(), Again::new(settings, options.flags()))
        }
        Command::Worker(options) => {
            let config = load(settings, options.flags())?;
            start_logs(&config)?;
            worker::run(config, surroundings(), Again::new(settings, options.flags()))
        }
        Command::Analyze(options) => analyze::run(&options, &quiet()?, &surroundings()),
        Command::Conversation(options) => conversation::run(&options, &quiet()?, &surroundings()),
        Command::Models(options) => models::run(&options, &quiet()?, &surroundings()),
        Command::Score(options) => score::run(&options, &quiet()?, &surroundings()),
        Command::Jobs(command) => {
            quiet()?;
            jobs::run(&command)
        }
        Command::Eval(options) => eval::run(&options, &quiet()?, &surroundings()),
        Command::Calibrate(options) => calibrate::run(&options, &quiet()?, &surroundings()),
        Command::Diff(options) => diff::run(&options, &quiet()?, &surroundings()),
        Command::Drift(command) => drift::run(&command, &quiet()?, &surroundings()),
        Command::Policy(command) => policy::run(&command, &quiet()?, &surroundings()),
        Command::Migrate(options) => store::migrate(&options, &quiet()?),
        Command::Outbox(command) => store::outbox(&command, &quiet()?),
        Command::Audit(command) => store::audit(&command, &quiet()?),
        Command::Customers(command) => store::customers(&command, &quiet()?),
        Command::Enrich(options) => store::enrich(&options, &quiet()?, &surroundings()),
        Command::Config => write_out(crate::config::DEFAULTS.as_bytes()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "attune", &mut script);
            write_out(&script)
        }
    }
}

/// Reads the settings again, out of the sources that the command was started with.
struct Again(Arc<ReadAgain>);

impl Again {
    fn new(settings: &Settings, flags: Vec<(String, String)>) -> Self {
        let settings = settings.clone();
        Self(Arc::new(move || load(&settings, flags.clone())))
    }

    /// Whenever the process gets a SIGHUP. Errors: those of the system.
    fn on_hangup(self) -> Result<Reload, Error> {
        Ok(Reload::new(runtime::spawn_hangup_listener()?, self.0))
    }
}

fn load(settings: &Settings, mut flags: Vec<(String, String)>) -> Result<Config, Error> {
    if let Some(filter) = &settings.log {
        flags.push(("log.filter".into(), filter.clone()));
    }
    if let Some(model) = &settings.model {
        flags.push(("model.directory".into(), model.display().to_string()));
    }
    if let Some(overlay) = &settings.overlay {
        flags.push(("model.overlay".into(), overlay.display().to_string()));
    }
    for pair in &settings.set {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::invalid("--set", format!("expected KEY=VALUE, not {pair:?}")))?;
        flags.push((key.trim().into(), value.trim().into()));
    }
    let file = settings.config.as_deref().map(read_file).transpose()?;
    // A variable that is not UTF-8 can't be one of ours.
    let environment = std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    Ok(Config::load(&Sources { file, environment, flags })?)
}

fn read_file(path: &Path) -> Result<(String, String), Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::new(ErrorKind::NotFound, format!("configuration {}: {e}", path.display())))?;
    Ok((path.display().to_string(), text))
}

fn surroundings() -> Surroundings {
    Surroundings {
        runtime_library: std::env::var_os("ORT_DYLIB_PATH").map(Into::into),
        environment: Environment::new(std::env::vars_os()),
    }
}

fn start_logs(config: &Config) -> Result<(), Error> {
    logs::init(&config.log.filter, config.log.format).map_err(|e| Error::invalid("log.filter", e))
}

/// The configuration of a command that prints results: it stays quiet unless the caller asked for a log.
fn load_quietly(settings: &Settings) -> Result<Config, Error> {
    let config = load(settings, Vec::new())?;
    if settings.log.is_some() {
        start_logs(&config)?;
    } else {
        logs::init("warn", config.log.format).map_err(|e| Error::invalid("log.filter", e))?;
    }
    Ok(config)
}

/// Processors to one thread that serves connections: beside the network, these threads have about a sixteenth of the work, and
/// more of them than that only wake each other.
const PROCESSORS_PER_IO_THREAD: usize = 4;

/// Runs what works on until the process is asked to end, on `io_threads` threads; 0 for one for every four processors,
/// rounded up.
fn until_stopped(
    io_threads: usize,
    work: impl AsyncFnOnce(CancellationToken) -> Result<(), Error>,
) -> Result<(), Error> {
    runtime::tls::install();
    let threads = match io_threads {
        0 => available_parallelism().map_or(1, usize::from).div_ceil(PROCESSORS_PER_IO_THREAD),
        set => set,
    };
    let executor = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .thread_name("attune-io")
        .build()
        .map_err(Error::internal)?;
    let done = executor.block_on(async {
        let stop = CancellationToken::new();
        runtime::spawn_signal_listener(stop.clone())?;
        work(stop).await
    });
    // Handlers of connections that outlived the drain must not hold the process.
    executor.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

/// What runs the async parts of a command.
fn executor() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::internal)
}

/// Writes a file that the caller asked for.
fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text)
        .map_err(|e| Error::new(ErrorKind::Unavailable, format!("can't write {}: {e}", path.display())))
}

/// Writes to standard output; a reader that went away (`| head`) is no error.
fn write_out(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Unavailable, format!("can't write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}
