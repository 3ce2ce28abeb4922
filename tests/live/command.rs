//! The binary as the tests run it: without the settings of whoever runs them.

use std::process::{Command, Output};

/// The binary.
pub(crate) fn attune() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.env_remove("ATTUNE_CONFIG").env("NO_COLOR", "1");
    command
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    attune().args(arguments).output().unwrap()
}

/// Standard output of a command that must succeed.
pub(crate) fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
