//! Models of a hub (Hugging Face's, or one that speaks as it does), fetched into a directory.
//!
//! A pull asks for the commit that a revision stands for, fetches the files of that commit that attune can use, checks
//! each against the checksum that the hub gives, and lets the directory appear whole (`place.rs`). Nothing but the
//! named hub is asked; where it sends a file's request elsewhere, the token stays behind (`client.rs`).
//!
//! The crate `hf-hub` says where a token is kept and does no more here: docs/adr/0009-hub-client.md says why. What a model's
//! files mean is not known here.

mod answer;
mod choose;
mod client;
mod digest;
mod download;
mod endpoint;
mod listing;
mod names;
mod patience;
mod place;
mod pull;
mod reference;
mod source;
mod token;

pub use endpoint::Endpoint;
pub use patience::Patience;
pub use pull::{Progress, PullSettings, Pulled, pull};
pub use reference::Reference;
pub use source::{Source, SourceFile};
pub use token::Token;
