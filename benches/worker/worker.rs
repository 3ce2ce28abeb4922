//! `attune worker` as a process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::machine::free_port;

pub(crate) struct Worker {
    child: Child,
    http: String,
}

impl Worker {
    /// Starts one with a configuration file; its log goes beside it.
    pub(crate) fn start(config: &Path, name: &str) -> Self {
        let http = format!("127.0.0.1:{}", free_port());
        let log: PathBuf = config.with_file_name(format!("{name}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_attune"))
            .args(["worker", "--http", &http, "--config"])
            .arg(config)
            .env("ATTUNE_BENCH_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        Self { child, http }
    }

    /// Waits until `/readyz` says so.
    pub(crate) async fn ready(&mut self) {
        let started = Instant::now();
        while !self.get("/readyz").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(started.elapsed() < Duration::from_secs(60), "the worker did not get ready");
            assert!(self.child.try_wait().unwrap().is_none(), "the worker ended");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn get(&self, path: &str) -> Option<String> {
        let mut stream = tokio::net::TcpStream::connect(&self.http).await.ok()?;
        let call = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
        stream.write_all(call.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    /// A counter or gauge, by name and labels; 0 until it is there.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // USER_HZ is 100 on every Linux that Rust runs on.
        Duration::from_millis(ticks * 10)
    }

    /// Largest resident size so far, in MB.
    pub(crate) fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    /// Sends it a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; how long that took, and whether it ended well.
    pub(crate) async fn stop(mut self) -> (Duration, bool) {
        let started = Instant::now();
        self.signal("TERM");
        while started.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (started.elapsed(), status.success());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        (started.elapsed(), false)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // After a failed assertion nothing may be left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
