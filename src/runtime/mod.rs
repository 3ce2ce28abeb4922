//! Process matters: signals that ask for an end or for settings to be read again, the provider of TLS.

pub mod tls;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

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

/// Changes with each SIGHUP. Several in a row may be one change.
pub fn spawn_hangup_listener() -> Result<watch::Receiver<u64>, Error> {
    let mut hangup = signal(SignalKind::hangup()).map_err(Error::internal)?;
    let (tell, told) = watch::channel(0);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() && !tell.is_closed() {
            tell.send_modify(|count| *count += 1);
        }
    });
    Ok(told)
}
