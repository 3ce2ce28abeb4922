//! Three workers, one of them killed every few seconds; NATS and PostgreSQL restarted twice each; a receiver that fails; and
//! poison in between.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::arguments::number;
use crate::machine::{self, Directory, Process};
use crate::receiver;
use crate::verify::{self, Planted};
use crate::worker::Worker;
use crate::{queue, texts};

const WORKERS: usize = 3;
/// Interactions per customer.
const EACH: usize = 20;
/// Texts: few, so that the model's cache answers. This is about what breaks, not about how fast the model is.
const TEXTS: usize = 500;
/// One in so many is sent twice.
const TWICE: usize = 100;
/// Pieces of poison.
const POISON: usize = 60;
/// After so long what a killed worker had goes to another one.
const ACK_WAIT: Duration = Duration::from_secs(6);
/// A server that is restarted stays away for so long.
const AWAY: Duration = Duration::from_secs(3);
/// When what is restarted, by the share of the work that is done.
const RESTARTS: [(f64, &str); 4] =
    [(0.2, "nats"), (0.4, "postgres"), (0.6, "killed nats"), (0.8, "postgres")];
/// What the sink waits for an answer, and what the receiver takes when it is late.
const TIMEOUT_MS: u64 = 1_000;
const LATE: Duration = Duration::from_millis(1_500);

pub(crate) async fn run() -> bool {
    let (many, kill_ms) = (number("--interactions", 200_000), number("--kill-ms", 4_000));
    let random = fastrand::Rng::with_seed(number("--seed", 1) as u64);
    let directory = Directory::new();
    let (mut nats, nats_url) = machine::nats(&directory.0);
    let (mut postgres, store_url) = machine::postgres(&directory.0);
    machine::migrate(&store_url).await;
    let (receiver, hook) = receiver::start(LATE).await;
    let config = directory.0.join("attune.toml");
    std::fs::write(&config, settings(&nats_url, &store_url, &hook)).unwrap();
    let context = queue::connect(&nats_url).await;
    queue::make(&context).await;
    let (planted, messages) = messages(many);
    println!(
        "{many} interactions, {} of them twice, {} pieces of poison",
        many / TWICE,
        planted.poison.len()
    );
    let started = Instant::now();
    // One half is there from the beginning, the other comes while everything breaks.
    let mut first = messages;
    let second = first.split_off(first.len() / 2);
    let sent = (first.len() + second.len()) as u64;
    queue::publish(&context, first).await;
    let producer = {
        let context = context.clone();
        tokio::spawn(async move { queue::publish(&context, second).await })
    };
    let mut storm = Storm { workers: Vec::new(), config: &config, random, kills: 0, restarts: Vec::new() };
    storm.workers.extend((0..WORKERS).map(|n| Worker::start(&config, &format!("worker-{n}"))));
    let (mut next_kill, mut restarts) =
        (Instant::now() + Duration::from_millis(kill_ms as u64), RESTARTS.to_vec());
    let (mut shown, mut calm) = (Instant::now(), Calm::default());
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let lag = if producer.is_finished() { queue::lag(&context).await } else { None };
        let kept = verify::kept(&store_url).await.unwrap_or_default();
        let share = kept as f64 / many as f64;
        if shown.elapsed() > Duration::from_secs(10) {
            println!(
                "  {:>4} s  {kept} kept, {} kills, lag {lag:?}",
                started.elapsed().as_secs(),
                storm.kills
            );
            shown = Instant::now();
        }
        if restarts.first().is_some_and(|(at, _)| share >= *at) {
            storm.restart(restarts.remove(0).1, &mut nats, &mut postgres).await;
        }
        if restarts.is_empty() && calm.over(lag) {
            break;
        }
        if Instant::now() > next_kill {
            storm.kill();
            next_kill = Instant::now() + Duration::from_millis(kill_ms as u64);
        }
        assert!(started.elapsed() < Duration::from_secs(3600), "{kept} of {many} after an hour; lag {lag:?}");
    }
    producer.await.unwrap();
    let worked = started.elapsed();
    println!(
        "{} sent, worked off after {:.0} s ({:.0}/s): {} kills, restarts of {}",
        sent,
        worked.as_secs_f64(),
        sent as f64 / worked.as_secs_f64(),
        storm.kills,
        storm.restarts.join(", ")
    );
    let delivered = verify::delivered(&store_url, Duration::from_secs(300)).await;
    let mut well = true;
    for worker in storm.workers {
        well &= worker.stop().await.1;
    }
    println!("deliveries done after {:.0} s; workers ended well: {well}", started.elapsed().as_secs_f64());
    let held = verify::all(&context, &store_url, &planted, &receiver).await;
    if !held {
        keep_logs(&directory.0);
    }
    held && delivered && well
}

/// How long nothing has changed.
#[derive(Default)]
struct Calm {
    lag: Option<(u64, u64)>,
    since: Option<Instant>,
}

impl Calm {
    /// Whether nothing is left. A NATS server that was killed may hold something as given out that it has deleted (2.9 says
    /// "deleted message" in its log) and never gives out again: what does not change for several times the acknowledgement's
    /// time is that. Whether anything is missing is seen in the store.
    fn over(&mut self, lag: Option<(u64, u64)>) -> bool {
        if lag != self.lag {
            (self.lag, self.since) = (lag, Some(Instant::now()));
        }
        let still = self.since.is_some_and(|since| since.elapsed() > ACK_WAIT * 5);
        match lag {
            Some((0, 0)) => true,
            Some((0, ghosts)) if still => {
                println!("  NATS counts {ghosts} as given out that nobody gets");
                true
            }
            Some(_) | None => false,
        }
    }
}

struct Storm<'a> {
    workers: Vec<Worker>,
    config: &'a Path,
    random: fastrand::Rng,
    kills: usize,
    restarts: Vec<&'static str>,
}

impl Storm<'_> {
    fn kill(&mut self) {
        let n = self.random.usize(..self.workers.len());
        self.workers.remove(n).kill();
        self.kills += 1;
        self.workers.push(Worker::start(self.config, &format!("worker-{n}")));
    }

    async fn restart(&mut self, what: &'static str, nats: &mut Process, postgres: &mut Process) {
        println!("  restart of {what}");
        match what {
            "nats" => nats.restart("TERM", AWAY).await,
            // At once, without a word to anybody.
            "killed nats" => nats.restart("KILL", AWAY).await,
            // Fast: connections are cut, transactions rolled back.
            _ => postgres.restart("INT", AWAY).await,
        }
        self.restarts.push(what);
    }
}

fn settings(nats: &str, store: &str, hook: &str) -> String {
    format!(
        r#"
[worker]
nats = "{nats}"
ack_wait_ms = {}
[storage]
url = "{store}"
[privacy]
text_days = 0
interaction_days = 0
signal_days = 0
[log]
filter = "info,ort=warn"
[[sinks]]
name = "hook"
kind = "webhook"
events = ["*"]
url = "{hook}"
secrets = [{{ env = "ATTUNE_BENCH_SECRET" }}]
allow_insecure = true
allow_private = ["127.0.0.0/8"]
timeout_ms = {TIMEOUT_MS}
max_attempts = 100
concurrency = 32
"#,
        ACK_WAIT.as_millis()
    )
}

/// Messages in the order of their times, some of them twice, and poison among them.
fn messages(many: usize) -> (Planted, Vec<queue::Sent>) {
    let texts: Vec<String> =
        texts::written().into_iter().filter(|text| text.len() < 200).take(TEXTS).collect();
    let customers = (many / EACH).max(1);
    let (mut messages, mut poison) = (Vec::new(), Vec::new());
    for n in 0..many {
        let payload = texts::interaction(n, &texts[n * 31 % texts.len()], customers).to_string().into_bytes();
        if n.is_multiple_of(TWICE) {
            // Without an id: the stream takes it twice.
            messages.push((None, payload.clone()));
        }
        messages.push((Some(format!("i-{n}")), payload));
        if n.is_multiple_of((many / POISON).max(1)) {
            let bad = bad(poison.len());
            messages.push((Some(format!("p-{n}")), bad.clone()));
            poison.push(bad);
        }
    }
    (Planted { interactions: many, poison }, messages)
}

fn bad(n: usize) -> Vec<u8> {
    let object =
        |rest: &str| format!("{{\"tenant\": \"bench\", \"source\": \"bench\", \"id\": \"p-{n}\", {rest}}}");
    match n % 5 {
        0 => format!("poison {n}, and no JSON").into_bytes(),
        1 => vec![0xff, 0xfe, n as u8],
        2 => object("\"at\": 5, \"text\": \"nobody\"").into_bytes(),
        3 => object("\"at\": 5, \"customer\": \"c\", \"text\": \"x\", \"nps\": 11").into_bytes(),
        _ => object(&format!("\"at\": 5, \"customer\": \"c\", \"text\": \"x\", \"mood\": {n}")).into_bytes(),
    }
}

fn keep_logs(directory: &Path) {
    let to = Path::new("bench-results/chaos-logs");
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(directory).unwrap().filter_map(Result::ok) {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    println!("logs are in {}", to.display());
}
