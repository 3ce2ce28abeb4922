//! A NATS server and a PostgreSQL of the benchmark's own, on free ports, in a directory that goes at the end.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::arguments::argument;

/// Longest start of a server.
const START: Duration = Duration::from_secs(60);

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A directory that others may enter: PostgreSQL runs as somebody else when this runs as root.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("attune-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server process, and how it is started again.
pub(crate) struct Process {
    command: Vec<String>,
    log: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Process {
    fn start(command: Vec<String>, log: PathBuf, port: u16) -> Self {
        let mut process = Self { command, log, port, child: None };
        process.up();
        process
    }

    fn up(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", self.command[0]));
        self.child = Some(child);
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                started.elapsed() < START,
                "{} did not start; see {}",
                self.command[0],
                self.log.display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn down(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let kill = format!("kill -{signal} {}", child.id());
            Command::new("sh").args(["-c", &kill]).status().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it by a signal, and starts it again after so long.
    pub(crate) async fn restart(&mut self, signal: &str, away: Duration) {
        self.down(signal);
        tokio::time::sleep(away).await;
        self.up();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.down("INT");
    }
}

pub(crate) fn nats(directory: &Path) -> (Process, String) {
    let binary = argument("--nats-server").unwrap_or_else(|| "/usr/sbin/nats-server".into());
    let port = free_port();
    let store = directory.join("nats").display().to_string();
    let command = [&binary, "-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd", &store];
    let command = command.iter().map(ToString::to_string).collect();
    (Process::start(command, directory.join("nats.log"), port), format!("nats://127.0.0.1:{port}"))
}

pub(crate) fn postgres(directory: &Path) -> (Process, String) {
    let binaries = argument("--postgres-bin").map_or_else(newest_postgres, PathBuf::from);
    let (port, data) = (free_port(), directory.join("postgres"));
    std::fs::create_dir_all(&data).unwrap();
    let binary = |name: &str| binaries.join(name).display().to_string();
    let mut before: Vec<String> = Vec::new();
    if is_root() {
        let given = Command::new("chown").args(["postgres", &data.display().to_string()]).status().unwrap();
        assert!(given.success(), "PostgreSQL does not run as root, and there is no user postgres");
        before = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            .map(String::from)
            .into();
    }
    let with = |rest: &[&str]| -> Vec<String> {
        before.iter().cloned().chain(rest.iter().map(ToString::to_string)).collect()
    };
    let data = data.display().to_string();
    let init = with(&[&binary("initdb"), "-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8"]);
    let made = Command::new(&init[0]).args(&init[1..]).stdout(Stdio::null()).status().unwrap();
    assert!(made.success(), "initdb failed");
    let command =
        with(&[&binary("postgres"), "-D", &data, "-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
    let process = Process::start(command, directory.join("postgres.log"), port);
    (process, format!("postgres://postgres@127.0.0.1:{port}/postgres"))
}

fn newest_postgres() -> PathBuf {
    let found =
        std::fs::read_dir("/usr/lib/postgresql").expect("--postgres-bin DIR says where PostgreSQL is");
    let version = |path: &PathBuf| path.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok());
    found.map(|entry| entry.unwrap().path()).max_by_key(version).unwrap().join("bin")
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Makes attune's tables, as soon as the database takes connections.
pub(crate) async fn migrate(url: &str) {
    let started = Instant::now();
    loop {
        match attune::storage::postgres::PostgresStore::connect(url, 2).await {
            Ok(store) => return store.migrate().await.unwrap(),
            Err(error) => assert!(started.elapsed() < START, "{error}: {}", error.causes()),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
