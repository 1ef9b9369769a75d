//! Unix sockets.

use crate::{serve, serve_on_one_thread};
use graceful_tests::{App, Running};
use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
};

struct Served {
    app: Running,
    path: PathBuf,
}

impl Served {
    fn by(name: &str, app: App) -> Self {
        // Short, because addresses of Unix sockets are limited in length.
        let path = std::env::temp_dir().join(format!("graceful-{name}-{}.sock", std::process::id()));
        let _ = fs::remove_file(&path);
        let app = app.env("UNIX_SOCKET", &path).start();
        app.logs("serving: ready");
        Self { app, path }
    }

    fn send(&self, path: &str) -> UnixStream {
        let mut stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(graceful_tests::PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stream
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn all_of(mut stream: UnixStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap_or_else(|error| panic!("{error}: after {text}"));
    text
}

#[test]
fn a_request_in_flight_on_a_unix_socket_is_served() {
    let mut served = Served::by("flight", serve());
    let stream = served.send("/held");
    served.app.prints("in /held");
    served.app.begin_drain();
    served.app.logs(&format!("connections on {}", served.path.display()));
    served.app.send_line("release");
    let response = all_of(stream);
    assert!(response.contains("connection: close") && response.ends_with("held\n"), "{response}");
}

#[test]
fn the_accept_queue_of_a_unix_socket_is_served() {
    let mut served = Served::by("queue", serve_on_one_thread());
    served.app.send_line("block");
    served.app.prints("every worker is blocked");
    let queued: Vec<_> = (0..10).map(|_| served.send("/fast")).collect();
    served.app.begin_drain();
    served.app.send_line("release");
    for stream in queued {
        let response = all_of(stream);
        assert!(response.starts_with("HTTP/1.1 200 OK") && response.ends_with("fast\n"), "{response}");
    }
}
