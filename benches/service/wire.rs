//! Unary calls over HTTP/2 without a gRPC client's layers: the load shares the machine with the service, and what the client
//! costs is not the service's.

use attune::api::grpc::v1;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use prost::Message;

/// Connections that share the calls: one would be a bottleneck of the client.
pub(crate) const CONNECTIONS: usize = 4;
/// gRPC's number for OK.
pub(crate) const OK: &[u8] = b"0";
/// gRPC's number for RESOURCE_EXHAUSTED.
pub(crate) const SHED: &[u8] = b"8";
/// Window of a connection and of its streams: answers must not wait for the client's leave.
const WINDOW: u32 = 16 << 20;

pub(crate) async fn connect(url: &str) -> SendRequest<Bytes> {
    let stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = h2::client::Builder::new()
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

/// The body of a call: gRPC's five bytes and the message.
pub(crate) fn framed(text: String, evidence: bool) -> Bytes {
    let options = Some(v1::AnalysisOptions { evidence: Some(evidence), ..Default::default() });
    let message = v1::AnalyzeTextRequest { text, options, ..Default::default() };
    let mut frame = BytesMut::with_capacity(message.encoded_len() + 5);
    frame.put_u8(0);
    frame.put_u32(message.encoded_len() as u32);
    message.encode(&mut frame).unwrap();
    frame.freeze()
}

/// The gRPC status of one call, from the headers of a refusal or the trailers of an answer.
pub(crate) async fn call(sender: SendRequest<Bytes>, body: Bytes) -> Option<http::HeaderValue> {
    let request = http::Request::post("http://attune/attune.v1.AnalysisService/AnalyzeText")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .ok()?;
    let mut sender = sender.ready().await.ok()?;
    let (answer, mut out) = sender.send_request(request, false).ok()?;
    out.send_data(body, true).ok()?;
    let answer = answer.await.ok()?;
    if let Some(status) = answer.headers().get("grpc-status") {
        return Some(status.clone());
    }
    let mut body = answer.into_body();
    while let Some(data) = body.data().await {
        body.flow_control().release_capacity(data.ok()?.len()).ok()?;
    }
    body.trailers().await.ok()??.get("grpc-status").cloned()
}
