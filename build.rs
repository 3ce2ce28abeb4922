//! Compiles `proto/` without an installed protoc, and writes the descriptor set for reflection.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "attune/v1/analysis.proto",
        "attune/v1/conversation.proto",
        "attune/v1/customers.proto",
        "attune/v1/jobs.proto",
        "attune/v1/models.proto",
    ];
    find_libtorch()?;
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=models/attune-en-small");
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("attune.v1.bin"), prost_bytes(&descriptors))?;
    tonic_prost_build::configure().build_transport(true).compile_fds(descriptors)?;
    Ok(())
}

/// With the feature rust-bert, what is built looks for libtorch in `lib/` beside itself, then where it was linked from, so that it
/// runs in its checkout without a variable. A `cargo:` line of a dependency's build script would not reach the binary.
fn find_libtorch() -> Result<(), std::env::VarError> {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_RUST_BERT").is_none() {
        return Ok(());
    }
    let checkout = std::env::var("CARGO_MANIFEST_DIR")?;
    let libtorch = std::env::var("LIBTORCH").unwrap_or_else(|_| format!("{checkout}/.libtorch"));
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/lib:{libtorch}/lib");
    Ok(())
}

fn prost_bytes(descriptors: &impl prost::Message) -> Vec<u8> {
    descriptors.encode_to_vec()
}
