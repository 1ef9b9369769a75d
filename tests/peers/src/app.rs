//! The app that every server of this package serves, and where it listens.

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use std::{io, net, os::fd::AsFd, time::Duration};
use tokio::{net::TcpListener, time::sleep};

/// `GET /`, `GET /slow`, which takes two seconds, and `POST /`, which responds with the length of the complete body.
pub fn app() -> Router {
    let length = |body: Bytes| async move { format!("{}\n", body.len()) };
    let slow = || async {
        sleep(Duration::from_secs(2)).await;
        "slow\n"
    };
    Router::new().route("/", get(|| async { "hello\n" })).route("/", post(length)).route("/slow", get(slow))
}

/// Listens where the environment variable `LISTEN` says, and prints the address. With `stdin`, the listening socket is
/// standard input: a supervisor holds it, so that it stays open while one process replaces another.
///
/// # Errors
/// The address is in use, or standard input is no listening socket.
pub fn listen() -> io::Result<TcpListener> {
    let listener = match std::env::var("LISTEN").as_deref() {
        Ok("stdin") => net::TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?),
        Ok(address) => reusable(address)?,
        Err(_) => reusable("127.0.0.1:3001")?,
    };
    listener.set_nonblocking(true)?;
    println!("serving on {}", listener.local_addr()?);
    TcpListener::from_std(listener)
}

/// A listener at an address that connections of a process before may occupy: std sets `SO_REUSEADDR`.
fn reusable(address: &str) -> io::Result<net::TcpListener> {
    net::TcpListener::bind(address)
}

/// Whether the environment asks for TLS.
pub fn with_tls() -> bool {
    std::env::var_os("TLS").is_some()
}
