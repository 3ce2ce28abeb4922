//! Jobs over a real S3 interface: the server's process, the command line, and moto on loopback (`scripts/s3-check.sh`).
//!
//! The variable `ATTUNE_MOTO_SERVER` names moto's program. Without it the test says so, and passes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::command::attune;
use crate::server::Serving;

/// Enough rows that the output goes up in several parts, with few texts, so that they are scored in no time.
const ROWS: usize = 30_000;

/// An S3 service.
struct Moto {
    child: Child,
    address: String,
}

impl Moto {
    fn start() -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("ATTUNE_MOTO_SERVER")?);
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("Running on http://")).unwrap();
        // Nobody may wait for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.rsplit("http://").next().unwrap().trim().to_owned();
        Some(Self { child, address })
    }

    fn call(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..100.min(answer.len())])
        );
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        answer.split_off(body)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn export() -> String {
    let mut text = String::from("id,comment\n");
    for n in 0..ROWS {
        let said = ["The engineer was brilliant!", "Nobody answered.", "It is the third time I ask."][n % 3];
        text.push_str(&format!("{n},{}{said}\n", "The parcel came. ".repeat(10)));
    }
    text
}

#[test]
fn a_job_fetches_from_s3_scores_and_puts_the_output_back_in_parts() {
    let Some(moto) = Moto::start() else {
        eprintln!("left out: ATTUNE_MOTO_SERVER is not set; scripts/s3-check.sh installs moto and runs this");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    moto.call("PUT", "/exports", b"");
    moto.call("PUT", "/exports/2026/in.csv", export().as_bytes());
    let serving = Serving::start(&[
        "--set",
        &format!("jobs.directory={}", at("jobs")),
        "--set",
        "jobs.buckets=exports",
        "--set",
        &format!("jobs.s3_endpoint=http://{}", moto.address),
        "--set",
        "jobs.s3_region=us-east-1",
        "--set",
        "jobs.s3_access_key_id=test",
        "--set",
        "jobs.s3_secret_access_key=test",
    ]);
    let create = |output: &str| {
        let mut command = attune();
        command.args(["jobs", "create", "s3://exports/2026/in.csv", "-o", output]);
        // Three texts again and again look like a choice, not like free text.
        command.args(["--text-column", "comment"]);
        command.args(["--scored-at", "2026-01-01T00:00:00Z", "--watch", "--format", "json", "--server"]);
        command.arg(format!("http://{}", serving.grpc)).output().unwrap()
    };
    let output = create("s3://exports/2026/out.csv");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!((&last["state"], &last["rows"]["written"]), (&"succeeded".into(), &ROWS.into()));
    let scored = moto.call("GET", "/exports/2026/out.csv", b"");
    assert!(scored.len() > (8 << 20), "{} bytes would go up in one part", scored.len());

    // The same bytes as on the command line.
    std::fs::write(at("in.csv"), export()).unwrap();
    let mut command = attune();
    command.args(["score", &at("in.csv"), "-o", &at("out.csv"), "--scored-at", "2026-01-01T00:00:00Z"]);
    command.args(["--text-column", "comment"]);
    assert!(command.output().unwrap().status.success());
    assert!(std::fs::read(at("out.csv")).unwrap() == scored);

    // What is there is not written over; the exit code is that of the job's error.
    let again = create("s3://exports/2026/out.csv");
    assert_eq!(again.status.code(), Some(73), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(serving.terminate().success());
}
