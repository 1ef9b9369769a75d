//! HTTP/2 responses that the handler completes long before the client reads them.

use bytes::Bytes;
use graceful_tests::{App, PATIENCE, Running, Signal, grpc::Order};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use std::time::{Duration, Instant};
use tokio::{net::TcpStream, time::timeout};

const LARGE: usize = 4_000_000;

/// The body of a large response to a client with windows of 64 kB. The first bytes are received and the handler ended.
async fn large_response(app: &Running) -> Incoming {
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

/// Reads with a pause per frame, for this time, and then the rest. Returns the number of bytes, and whether the trailers
/// report success.
async fn read_slowly(mut body: Incoming, time: Duration) -> (usize, bool) {
    let (mut bytes, mut fine, begun) = (0, false, Instant::now());
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.expect("the response continues") {
        let frame = frame.unwrap_or_else(|error| panic!("broken after {bytes} bytes: {error:?}"));
        bytes += frame.data_ref().map_or(0, Bytes::len);
        fine |= frame.trailers_ref().is_some_and(|trailers| trailers["grpc-status"] == "0");
        // About 250 frames.
        if begun.elapsed() < time {
            tokio::time::sleep(Duration::from_millis(18)).await;
        }
    }
    (bytes, fine)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_response_read_slowly_during_the_drain_is_complete() {
    let app = App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_DRAIN", "8s").start();
    let body = large_response(&app).await;
    app.signal(Signal::TERM);
    app.logs("draining: ");
    // Longer than half of the drain.
    let (bytes, fine) = read_slowly(body, Duration::from_millis(4300)).await;
    assert!(bytes > LARGE && fine, "{bytes} bytes, {fine}\n{}", app.so_far());
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_unread_response_is_abandoned_when_the_drain_ends() {
    let app = App::new(env!("CARGO_BIN_EXE_grpc_app")).env("GRACEFUL_DRAIN", "2s").start();
    let _unread = large_response(&app).await;
    let begun = app.begin_shutdown(Signal::TERM);
    let ended = app.end();
    assert!(ended.at - begun < Duration::from_secs(10), "it took {:?}\n{}", ended.at - begun, ended.all());
    ended.logs_in_order(&["draining: waiting up to 2s for", "hooks: ", "exit code "]);
}
