//! Many conversations at a steady rate over a few streams.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use attune::api::grpc::v1;
use attune::api::grpc::v1::conversation_service_client::ConversationServiceClient;
use attune::api::grpc::v1::monitor_conversation_response::Outcome;
use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::process::Server;
use crate::transcripts::{close, open, turn};

/// Streams, each of a connection of its own, as of ten support tools.
const STREAMS: usize = 10;
/// Requests of a stream that may wait in the client.
const WAITING: usize = 4096;

pub(crate) struct Sample {
    pub(crate) turns: u64,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) most: f64,
    pub(crate) errors: u64,
    pub(crate) events: u64,
    pub(crate) memory_mb: Vec<(u64, f64)>,
}

struct Seen {
    micros: Histogram<u64>,
    errors: u64,
    events: u64,
}

/// One conversation in its course.
struct Course {
    transcript: usize,
    round: usize,
    next: u64,
}

struct Stream {
    send: mpsc::Sender<v1::MonitorConversationRequest>,
    /// When each request was to leave; `None` for those that are not turns.
    sent: Rc<RefCell<VecDeque<Option<Instant>>>>,
}

pub(crate) async fn run(
    server: &Server,
    transcripts: &[v1::AnalyzeConversationRequest],
    many: usize,
    rate: usize,
    length: Duration,
) -> Sample {
    let local = tokio::task::LocalSet::new();
    local.run_until(course(server, transcripts, many, rate, length)).await
}

async fn course(
    server: &Server,
    transcripts: &[v1::AnalyzeConversationRequest],
    many: usize,
    rate: usize,
    length: Duration,
) -> Sample {
    let seen = Rc::new(RefCell::new(Seen { micros: Histogram::new(3).unwrap(), errors: 0, events: 0 }));
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        streams.push(begin(&server.url, Rc::clone(&seen)).await);
    }
    let mut courses: Vec<Course> =
        (0..many).map(|n| Course { transcript: n % transcripts.len(), round: 0, next: 1 }).collect();
    for (n, course) in courses.iter().enumerate() {
        send(&streams[n % STREAMS], open(&name(n, course), &transcripts[course.transcript], 0), None).await;
    }
    let (started, mut turns, mut memory) = (Instant::now(), 0, Vec::new());
    let step = Duration::from_secs_f64(1.0 / rate as f64);
    let mut next_look = Duration::ZERO;
    while started.elapsed() < length {
        let due = started + step * turns as u32;
        tokio::time::sleep_until(due.into()).await;
        let n = turns as usize % many;
        advance(&streams[n % STREAMS], &mut courses[n], n, transcripts, due).await;
        turns += 1;
        if started.elapsed() >= next_look {
            memory.push((started.elapsed().as_secs(), resident_mb(server)));
            next_look += length / 10;
        }
    }
    // What is still on its way is part of the figure.
    while streams.iter().any(|stream| !stream.sent.borrow().is_empty()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let seen = seen.borrow();
    let ms = |q: f64| seen.micros.value_at_quantile(q) as f64 / 1e3;
    Sample {
        turns,
        rate: turns as f64 / seconds,
        p50: ms(0.5),
        p95: ms(0.95),
        p99: ms(0.99),
        most: seen.micros.max() as f64 / 1e3,
        errors: seen.errors,
        events: seen.events,
        memory_mb: memory,
    }
}

fn name(n: usize, course: &Course) -> String {
    format!("live-{n}-{}", course.round)
}

/// Sends the conversation's next turn; one that has ended makes room for a new one.
async fn advance(
    stream: &Stream,
    course: &mut Course,
    n: usize,
    transcripts: &[v1::AnalyzeConversationRequest],
    due: Instant,
) {
    if course.next as usize > transcripts[course.transcript].turns.len() {
        send(stream, close(&name(n, course)), None).await;
        course.round += 1;
        course.next = 1;
        course.transcript = (course.transcript + 7) % transcripts.len();
        send(stream, open(&name(n, course), &transcripts[course.transcript], 0), None).await;
    }
    // The latency counts from when the turn was due: a client that falls behind hides nothing.
    send(stream, turn(&name(n, course), &transcripts[course.transcript], course.next), Some(due)).await;
    course.next += 1;
}

async fn send(stream: &Stream, request: v1::MonitorConversationRequest, due: Option<Instant>) {
    stream.sent.borrow_mut().push_back(due);
    stream.send.send(request).await.unwrap();
}

async fn begin(url: &str, seen: Rc<RefCell<Seen>>) -> Stream {
    let mut client = ConversationServiceClient::connect(url.to_owned()).await.unwrap();
    let (send, receive) = mpsc::channel(WAITING);
    let sent: Rc<RefCell<VecDeque<Option<Instant>>>> = Rc::default();
    let due = Rc::clone(&sent);
    let mut answers = client.monitor_conversation(ReceiverStream::new(receive)).await.unwrap().into_inner();
    tokio::task::spawn_local(async move {
        while let Some(answer) = answers.message().await.unwrap() {
            let due = due.borrow_mut().pop_front().expect("an answer per request");
            let mut seen = seen.borrow_mut();
            match answer.outcome {
                Some(Outcome::Error(_)) | None => seen.errors += 1,
                Some(Outcome::Update(update)) => seen.events += update.events.len() as u64,
                Some(Outcome::Opened(_) | Outcome::Closed(_)) => {}
            }
            if let Some(due) = due {
                seen.micros.record(due.elapsed().as_micros() as u64).unwrap();
            }
        }
    });
    Stream { send, sent }
}

/// Resident size now, in MB.
fn resident_mb(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
