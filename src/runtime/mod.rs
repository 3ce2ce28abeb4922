//! Process matters: signals that ask for an end, and who does the arithmetic of TLS.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind};

/// Names the process's one provider of cryptography for TLS, which clients ask for when they are made. Can be done again.
/// Errors: `Precondition` when another provider was named before.
pub fn install_tls() -> Result<(), Error> {
    use rustls::crypto::CryptoProvider;
    if CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    let installed = rustls::crypto::ring::default_provider().install_default();
    installed
        .map_err(|_| Error::new(ErrorKind::Precondition, "another provider of cryptography was named before"))
}

/// Cancels `stop` at the first SIGTERM or SIGINT; a second one ends the process at once.
pub fn spawn_signal_listener(stop: CancellationToken) -> Result<(), Error> {
    let mut term = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if last {
                tracing::warn!("second signal: ending without a drain");
                std::process::exit(130);
            }
            stop.cancel();
        }
    });
    Ok(())
}
