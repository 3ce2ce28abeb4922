//! The cryptography behind TLS: ring, for whoever speaks it.

/// Makes ring the process's provider for rustls, once; asked again, it does nothing. Whoever builds a client that speaks
/// TLS calls it first: rustls has no provider by itself, and ends the process that asks for one.
pub fn install() {
    // Fails when there is one already, and then it is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
