//! HTTP/2 answers that are handed over long before their clients have read them.

use bytes::Bytes;
use graceful_tests::{App, PATIENCE, Running, Signal, grpc::Order};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

const LARGE: usize = 4_000_000;

/// The body of a large answer to a client with windows of 64 kB. Its first bytes are there, the handler is done.
async fn large_answer(app: &Running) -> Incoming {
    let to = app.ready();
    let stream = TokioIo::new(TcpStream::connect(to).await.unwrap());
    let windows = 65_535;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(windows).initial_connection_window_size(windows).adaptive_window(false);
    let (mut requests, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let order = Order { kind: format!("large {LARGE}") }.encode_to_vec();
    let message = [&[0][..], &(order.len() as u32).to_be_bytes(), &order].concat();
    let request = Request::post(format!("http://{to}/shop.Orders/Place"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from(message)))
        .unwrap();
    let response = timeout(PATIENCE, requests.send_request(request)).await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

/// Reads at a pace; the bytes, and whether trailers said that the call is fine.
async fn read_slowly(mut body: Incoming, pause: Duration) -> (usize, bool) {
    let (mut bytes, mut fine) = (0, false);
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.expect("the answer goes on") {
        let frame = frame.unwrap_or_else(|error| panic!("broken after {bytes} bytes: {error:?}"));
        bytes += frame.data_ref().map_or(0, Bytes::len);
        fine |= frame.trailers_ref().is_some_and(|trailers| trailers["grpc-status"] == "0");
        // A pace, not a wait: 250 frames or so, more than half of the drain in all.
        tokio::time::sleep(pause).await;
    }
    (bytes, fine)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_that_is_read_slowly_through_the_drain_arrives_whole() {
    let app = App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_DRAIN", "8s").start();
    let body = large_answer(&app).await;
    app.signal(Signal::TERM);
    app.says("draining: ");
    let (bytes, fine) = read_slowly(body, Duration::from_millis(20)).await;
    assert!(bytes > LARGE && fine, "{bytes} bytes, {fine}\n{}", app.so_far());
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_that_nobody_reads_is_given_up_by_the_end_of_the_drain() {
    let app = App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_DRAIN", "2s").start();
    let _unread = large_answer(&app).await;
    let begun = app.begin_shutdown(Signal::TERM);
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(10), "it took {:?}\n{}", ended.at - begun, ended.all());
    ended.says_in_order(&["draining: waiting up to 2s for", "hooks: ", "exit code "]);
}
