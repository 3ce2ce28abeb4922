//! Clients that are killed with SIGKILL in the middle of things, come back, and must have every event once.
//!
//! The parent starts a client process, reads what it says on its standard output, kills it after a while, and starts the
//! next one with what it knew by then: per conversation the last turn that was acknowledged and the last event. At the
//! end they are compared with the service's own record. (Not with a second reading of the transcripts: an int8 graph rounds
//! by what shares a batch, and a risk on the border may fall on either side.)

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use attune::api::grpc::v1;
use attune::api::grpc::v1::conversation_service_client::ConversationServiceClient;
use attune::api::grpc::v1::monitor_conversation_response::Outcome;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::process::Server;
use crate::transcripts::{self, open, turn};

/// Conversations of the client.
const CONVERSATIONS: usize = 60;
/// Pause of the client between two turns, so that a kill finds it at work.
const PAUSE: Duration = Duration::from_millis(8);

pub(crate) struct Killed {
    pub(crate) kills: usize,
    pub(crate) conversations: usize,
    pub(crate) events: usize,
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
}

/// What is known of a conversation: its last turn, and its events as `sequence change tier`.
#[derive(Default)]
struct Known {
    last_turn: u64,
    events: Vec<(u64, String)>,
}

pub(crate) async fn run(server: &Server, all: &[v1::AnalyzeConversationRequest], kills: usize) -> Killed {
    let mut known: BTreeMap<usize, Known> = (0..CONVERSATIONS).map(|n| (n, Known::default())).collect();
    let mut killed = 0;
    loop {
        // The first clients die young, later ones older, so that every phase is hit.
        let life = Duration::from_millis(40 + 37 * (killed as u64 % 11));
        let finished = one_client(&server.url, &mut known, (killed < kills).then_some(life));
        if finished {
            break;
        }
        killed += 1;
    }
    let (mut lost, mut repeated, mut events) = (0, 0, 0);
    let mut client = ConversationServiceClient::connect(server.url.clone()).await.unwrap();
    let (send, receive) = mpsc::channel(CONVERSATIONS);
    for n in known.keys() {
        send.send(open(&name(*n), &all[*n], 0)).await.unwrap();
    }
    drop(send);
    let mut answers = client.monitor_conversation(ReceiverStream::new(receive)).await.unwrap().into_inner();
    for known in known.values() {
        let Some(Outcome::Opened(record)) = answers.message().await.unwrap().unwrap().outcome else {
            panic!("an opening was refused")
        };
        let expected: Vec<(u64, String)> = record.missed.iter().map(|e| (e.sequence, said(e))).collect();
        events += expected.len();
        lost += expected.iter().filter(|e| !known.events.contains(e)).count();
        repeated += known.events.len().saturating_sub(expected.len());
    }
    Killed { kills: killed, conversations: CONVERSATIONS, events, lost, repeated }
}

/// Runs a client until it ends, or for its life; says whether it came to its end.
fn one_client(url: &str, known: &mut BTreeMap<usize, Known>, life: Option<Duration>) -> bool {
    let path = std::env::temp_dir().join(format!("attune-monitor-{}", std::process::id()));
    let mut state = std::fs::File::create(&path).unwrap();
    for (n, known) in known.iter() {
        let last_event = known.events.last().map_or(0, |(sequence, _)| *sequence);
        writeln!(state, "{n} {} {last_event}", known.last_turn).unwrap();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--client", url, "--state", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let killer = life.map(|life| {
        std::thread::spawn(move || {
            std::thread::sleep(life);
            Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        })
    });
    let mut finished = false;
    for line in BufReader::new(child.stdout.take().unwrap()).split(b'\n') {
        let line = String::from_utf8(line.unwrap()).unwrap();
        let parts: Vec<&str> = line.splitn(4, ' ').collect();
        match parts.as_slice() {
            ["turn", n, number, "."] => {
                known.get_mut(&n.parse().unwrap()).unwrap().last_turn = number.parse().unwrap()
            }
            ["event", n, sequence, said] if said.ends_with('.') => {
                let events = &mut known.get_mut(&n.parse().unwrap()).unwrap().events;
                events.push((sequence.parse().unwrap(), said.trim_end_matches('.').to_owned()));
            }
            ["done"] => finished = true,
            // A line that the kill has cut: its writer had not finished saying it.
            _ => {}
        }
    }
    child.wait().unwrap();
    if let Some(killer) = killer {
        killer.join().unwrap();
    }
    std::fs::remove_file(path).unwrap();
    finished
}

fn name(n: usize) -> String {
    format!("killed-{n}")
}

fn said(event: &v1::AlertEvent) -> String {
    let alert = event.alert.clone().unwrap_or_default();
    format!("{:?} {:?} {} {}", event.change(), alert.tier(), event.turn, alert.id)
}

/// The client: goes on where its state says, and says what it has got, a line at a time.
pub(crate) async fn client(url: &str, state: &str) {
    let all = transcripts::load();
    let state = std::fs::read_to_string(state).unwrap();
    let numbers = |line: &str| line.split(' ').map(|n| n.parse::<u64>().unwrap()).collect::<Vec<_>>();
    let mut known: Vec<(usize, u64, u64)> =
        state.lines().map(numbers).map(|n| (n[0] as usize, n[1], n[2])).collect();
    let mut client = ConversationServiceClient::connect(url.to_owned()).await.unwrap();
    let (send, receive) = mpsc::channel(64);
    let mut answers = client.monitor_conversation(ReceiverStream::new(receive)).await.unwrap().into_inner();
    let sender = tokio::spawn(async move {
        for (n, _, last_event) in &known {
            send.send(open(&name(*n), &all[*n], *last_event)).await.unwrap();
        }
        loop {
            let mut sent = false;
            for (n, last_turn, _) in &mut known {
                if (*last_turn as usize) < all[*n].turns.len() {
                    *last_turn += 1;
                    send.send(turn(&name(*n), &all[*n], *last_turn)).await.unwrap();
                    sent = true;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if !sent {
                return;
            }
        }
    });
    while let Some(answer) = answers.message().await.unwrap() {
        let n = answer.conversation_id.trim_start_matches("killed-").to_owned();
        let (events, turn) = match answer.outcome.unwrap() {
            Outcome::Opened(opened) => (opened.missed, None),
            Outcome::Update(update) => (update.events, Some(update.number)),
            other => panic!("{other:?}"),
        };
        let mut lines = String::new();
        for event in events {
            lines += &format!("event {n} {} {}.\n", event.sequence, said(&event));
        }
        if let Some(number) = turn {
            lines += &format!("turn {n} {number} .\n");
        }
        let mut out = std::io::stdout().lock();
        out.write_all(lines.as_bytes()).unwrap();
        out.flush().unwrap();
    }
    sender.await.unwrap();
    println!("done");
}
