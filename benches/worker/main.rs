//! `attune worker` over its own NATS and PostgreSQL on this machine: how fast one drains a queue against the raw engine, and
//! whether anything is lost, doubled or out of order while everything is killed.
//!
//!     cargo bench --bench worker -- [--interactions N] [--seconds N] [--nats-server FILE] [--postgres-bin DIR]
//!     cargo bench --bench worker -- --chaos [--interactions N] [--kill-ms N] [--seed N]
//!
//! The first prints the ratio and fails below 0.80; the second prints what it has checked and fails on any violation.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends when it can't go on"
)]

#[path = "../service/arguments.rs"]
mod arguments;
mod chaos;
#[expect(dead_code, reason = "the other benchmark asks for more")]
#[path = "../service/corpus.rs"]
mod corpus;
#[path = "../service/engine.rs"]
mod engine;
mod machine;
mod queue;
mod receiver;
mod texts;
mod throughput;
mod verify;
mod worker;

use std::process::ExitCode;

use arguments::flag;

fn main() -> ExitCode {
    if flag("--help") {
        println!(
            "cargo bench --bench worker -- [--chaos] [--interactions N] [--seconds N] [--kill-ms N] [--seed N] \
             [--nats-server FILE] [--postgres-bin DIR]"
        );
        return ExitCode::SUCCESS;
    }
    attune::runtime::tls::install();
    // What stands around the workers is to take little of the machine.
    let executor =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let held = executor
        .block_on(async { if flag("--chaos") { chaos::run().await } else { throughput::run().await } });
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
