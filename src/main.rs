//! The `attune` binary: everything is in the library.

use std::process::ExitCode;

/// Requests allocate many small values on one thread and free them on another, which mimalloc does better than glibc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    attune::cli::run(std::env::args_os())
}
