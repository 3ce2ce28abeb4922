//! The project's labelled transcripts, as the turns that a support tool would send.

use attune::api::grpc::{request_of, v1};
use attune::transcript::{Format, ImportOptions, import};

const FILES: [&str; 2] = ["tests/fixtures/escalation/fit.jsonl", "tests/fixtures/escalation/held_out.jsonl"];

pub(crate) fn load() -> Vec<v1::AnalyzeConversationRequest> {
    let read = |path: &&str| {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        import(&bytes, Format::Jsonl, &ImportOptions::default()).unwrap().conversations
    };
    FILES.iter().flat_map(read).map(|conversation| request_of(&conversation)).collect()
}

pub(crate) fn open(
    id: &str,
    from: &v1::AnalyzeConversationRequest,
    last_event: u64,
) -> v1::MonitorConversationRequest {
    let open = v1::OpenConversation { context: from.context.clone(), last_event, ..Default::default() };
    request(id, v1::monitor_conversation_request::Action::Open(open))
}

pub(crate) fn turn(
    id: &str,
    from: &v1::AnalyzeConversationRequest,
    number: u64,
) -> v1::MonitorConversationRequest {
    let turn = from.turns[number as usize - 1].clone();
    let turn = v1::MonitoredTurn { number, turn: Some(turn) };
    request(id, v1::monitor_conversation_request::Action::Turn(turn))
}

pub(crate) fn close(id: &str) -> v1::MonitorConversationRequest {
    request(id, v1::monitor_conversation_request::Action::Close(v1::CloseConversation {}))
}

fn request(id: &str, action: v1::monitor_conversation_request::Action) -> v1::MonitorConversationRequest {
    v1::MonitorConversationRequest { conversation_id: id.to_owned(), action: Some(action) }
}
