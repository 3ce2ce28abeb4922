//! Pure values: what an assessment holds. No serde, no protobuf, no I/O; every edge converts at its own border.

pub mod assessment;
pub mod conversation;
pub mod emotion;
pub mod probability;
pub mod ranking;
pub mod sentiment;
pub mod span;

pub use assessment::{
    Assessment, Evidence, EvidenceMethod, EvidenceScope, EvidenceSpan, HeadAssessment, LabelAssessment,
    SentenceAssessment, Status,
};
pub use conversation::{Channel, Conversation, Outcome, Role, Turn};
pub use probability::Probability;
pub use sentiment::{ClassEvidence, Sentiment, SentimentLabel};
pub use span::{Span, Spans};
