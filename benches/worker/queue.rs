//! The benchmark's side of the streams.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{self, Context, consumer, stream::RetentionPolicy};
use futures_util::StreamExt;

pub(crate) const SUBJECT: &str = "attune.interactions.bench";
/// Published at a time without an answer.
const IN_FLIGHT: usize = 256;

pub(crate) async fn connect(url: &str) -> Context {
    jetstream::new(async_nats::connect(url).await.unwrap())
}

/// A message with the id by which the stream knows it again, if it has one.
pub(crate) type Sent = (Option<String>, Vec<u8>);

/// The stream of interactions, as a worker makes it: what is published before one starts needs it.
pub(crate) async fn make(context: &Context) {
    let config = Config {
        name: "ATTUNE".into(),
        subjects: vec!["attune.interactions.>".into()],
        retention: RetentionPolicy::WorkQueue,
        duplicate_window: Duration::from_secs(600),
        ..Config::default()
    };
    context.create_stream(config).await.unwrap();
}

/// Publishes all, each until the stream has it. An id keeps a message from being there twice.
pub(crate) async fn publish(context: &Context, messages: Vec<Sent>) {
    let one = |(id, payload): Sent| async move {
        loop {
            let mut message = jetstream::message::PublishMessage::build().payload(payload.clone().into());
            if let Some(id) = &id {
                message = message.message_id(id);
            }
            let sent = context.send_publish(SUBJECT, message).await;
            if let Ok(answer) = sent
                && answer.await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    futures_util::stream::iter(messages).map(one).buffer_unordered(IN_FLIGHT).collect::<Vec<()>>().await;
}

/// Messages that nobody has got, and those that nobody has answered; `None` while NATS or the consumer is away.
pub(crate) async fn lag(context: &Context) -> Option<(u64, u64)> {
    let found: consumer::PullConsumer =
        context.get_consumer_from_stream("attune-worker", "ATTUNE").await.ok()?;
    let info = found.cached_info();
    Some((info.num_pending, info.num_ack_pending as u64))
}

/// Everything that a stream holds: payload and `Nats-Msg-Id`.
pub(crate) async fn all(context: &Context, stream: &str, headers_only: bool) -> Vec<(Vec<u8>, String)> {
    let mut stream = context.get_stream(stream).await.unwrap();
    let many = stream.info().await.unwrap().state.messages as usize;
    let ack_policy = consumer::AckPolicy::None;
    let config = consumer::pull::Config { ack_policy, headers_only, ..Default::default() };
    let found = stream.create_consumer(config).await.unwrap();
    let messages = found.stream().max_messages_per_batch(5_000).messages().await.unwrap().take(many);
    let read = messages.map(|message| {
        let message = message.unwrap();
        let id = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
        (message.payload.to_vec(), id.map(ToString::to_string).unwrap_or_default())
    });
    read.collect().await
}
