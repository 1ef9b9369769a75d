//! HTTP/2 clients that are alive, though they send nothing for longer than the timeouts, are not cut in the drain.

use crate::{
    frames::{DATA, END_STREAM, HEADERS, Http2},
    serve,
};
use bytes::Bytes;
use graceful_tests::{App, PATIENCE, Running, Signal, probe};
use http_body_util::Full;
use hyper::{Method, Request, client::conn::http2, upgrade::Upgraded};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens")
}

/// A tunnel that echoes.
async fn tunnel(to: SocketAddr) -> TokioIo<Upgraded> {
    let stream = TokioIo::new(tokio::net::TcpStream::connect(to).await.unwrap());
    let (mut requests, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::builder().method(Method::CONNECT).uri("elsewhere:80").body(Full::<Bytes>::default()).unwrap();
    let response = in_time(requests.send_request(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut tunnel = TokioIo::new(in_time(hyper::upgrade::on(response)).await.unwrap());
    echoes(&mut tunnel, b"one").await;
    tunnel
}

async fn echoes(tunnel: &mut TokioIo<Upgraded>, text: &[u8]) {
    tunnel.write_all(text).await.unwrap();
    let mut echo = vec![0; text.len()];
    in_time(tunnel.read_exact(&mut echo)).await.unwrap();
    assert_eq!(echo, text);
}

/// Waits in the drain for longer than timeouts of 100 ms last: a client that has sent nothing has 500 ms.
fn outlast_the_timeouts(app: &Running, mut silent: graceful_tests::Client) {
    app.begin_drain();
    silent.expect_close();
}

fn with_short_timeouts() -> App {
    serve().env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "100")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drain_waits_until_a_tunnel_is_closed() {
    let app = with_short_timeouts().start();
    let silent = app.client();
    let mut tunnel = tunnel(app.address()).await;
    outlast_the_timeouts(&app, silent);
    echoes(&mut tunnel, b"two").await;
    drop(tunnel);
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_tunnel_is_cut_at_the_drain_deadline() {
    let app = serve().env("GRACEFUL_DRAIN", "500ms").start();
    let mut tunnel = tunnel(app.ready()).await;
    app.begin_drain();
    assert!(!matches!(in_time(tunnel.read(&mut [0])).await, Ok(1..)));
    let ended = app.end();
    ended.with_code(3).prints_in_order(&["the hook has run"]);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
}

const LARGE: usize = 8 << 20;

#[test]
fn a_client_that_takes_a_large_response_slowly_is_not_cut_in_the_drain() {
    // A Unix socket, because it holds less of the response than TCP.
    let path = std::env::temp_dir().join(format!("graceful-slow-{}.sock", std::process::id()));
    let app = serve().env("UNIX_SOCKET", &path).env("GRACEFUL_DRAIN", "20s").env("TIMEOUTS_MS", "1500").start();
    app.logs("serving: ready");
    let stream = UnixStream::connect(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Its windows take all of the response, so that it sends nothing while it reads.
    let mut client = Http2::with_windows(stream, 2 * LARGE as u32);
    client.post(1, "/large", &[], b"");
    while client.frame().unwrap().kind != HEADERS {}
    app.begin_drain();
    let (mut taken, mut ends) = (0, false); // the response has ended for its handler, and takes twice the timeout to be read
    while !ends {
        let frame = client.frame().unwrap_or_else(|error| panic!("cut after {taken} bytes: {error:?}"));
        if frame.kind == DATA {
            taken += frame.payload.len();
            ends = frame.flags & END_STREAM != 0;
            thread::sleep(Duration::from_millis(6));
        }
    }
    assert_eq!(taken, LARGE);
    drop(client);
    app.end().with_code(0).never_logs("were cut in the drain");
}

#[test]
fn probes_succeed_beside_floods_of_frames() {
    let app = serve().start();
    app.ready();
    let health = app.health();
    let floods: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(health).unwrap();
            let mut client = Http2::new(stream.try_clone().unwrap());
            thread::spawn(move || while client.pings().is_ok() {});
            // Takes the acknowledgements, without which the server stops reading.
            thread::spawn(move || io::copy(&mut stream, &mut io::sink()))
        })
        .collect();
    for _ in 0..200 {
        assert_eq!(probe(health, "/livez").unwrap().status, 200);
    }
    app.signal(Signal::TERM);
    app.end().with_code(0);
    for flood in floods {
        let _ = flood.join().unwrap(); // the exit ends or resets the connection
    }
}
