//! The `attune` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune::cli::run(std::env::args_os())
}
