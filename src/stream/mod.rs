//! Interactions out of a stream: read together, kept in one transaction, told of, and only then acknowledged.
//!
//! [`form`] is what a message looks like, [`transport`] what a stream has to do, [`nats`] how JetStream does it. [`worker`]
//! pulls, and has some batches read at the same time; `batch` says what becomes of one; `fate` what an error means to a
//! message. Whatever breaks in between, the message comes again, and the store knows it: kept once, told at least once.

mod batch;
mod fate;
pub mod form;
mod held;
pub mod nats;
mod patience;
pub mod transport;
pub mod worker;

pub use transport::{Answer, Lag, Message, Outgoing, Transport};
pub use worker::{Worker, WorkerSettings};
