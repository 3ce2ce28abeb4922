//! The service as a process: start, CPU time, memory, counters, end.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    http: String,
    /// From the start of the process until `/readyz` says so.
    pub(crate) ready: Duration,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let (grpc, http) = (free_port(), free_port());
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_attune"))
            .arg("serve")
            .args(["--grpc", &format!("127.0.0.1:{grpc}"), "--http", &format!("127.0.0.1:{http}")])
            .args(["--log", "warn", "--set", "server.lame_duck_ms=0"])
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .expect("the release binary starts");
        let mut server = Self {
            child,
            url: format!("http://127.0.0.1:{grpc}"),
            http: format!("127.0.0.1:{http}"),
            ready: Duration::ZERO,
        };
        while !server.get("/readyz").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(started.elapsed() < Duration::from_secs(30), "the service did not get ready");
            assert!(server.child.try_wait().unwrap().is_none(), "the service ended");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.ready = started.elapsed();
        server
    }

    async fn get(&self, path: &str) -> Option<String> {
        let mut stream = tokio::net::TcpStream::connect(&self.http).await.ok()?;
        let call = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
        stream.write_all(call.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    /// Sums of the service's counters, by name and labels.
    pub(crate) async fn counters(&self) -> HashMap<String, f64> {
        let text = self.get("/metrics").await.unwrap_or_default();
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// User and system time of the process so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // USER_HZ is 100 on every Linux that Rust runs on.
        Duration::from_millis(ticks * 10)
    }

    /// Largest resident size so far, in MB.
    pub(crate) fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    pub(crate) async fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
        for _ in 0..1500 {
            if self.child.try_wait().unwrap().is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the service did not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failed assertion nothing may be left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
