//! Runs a script against bare hyper or against `serve`, each in a runtime and a lifecycle of its own.
//!
//! The clock of the runtime is paused and moves only where a script says so; sockets and scheduling are real.

use crate::{
    driver::{Driver, Outcome},
    handler::Replay,
    process::{self, Process},
    recording::Recording,
    script::Script,
    settings::Settings,
    silence,
    transport::{self, Client, One, Transport},
};
use graceful::Listener;
use std::{
    future::Future,
    sync::{Arc, Once},
};
use tokio::task::yield_now;

/// A server under test.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    /// Bare hyper, whose responses say what those of `serve` have said.
    Hyper(Replay),
    Serve,
}

/// Runs a script to its end.
pub(crate) fn run(script: &Script, transport: Transport, settings: Settings, server: &Server) -> Outcome {
    paused(transport != Transport::Memory, async {
        match transport {
            Transport::Memory => {
                let (listener, client) = transport::memory();
                drive(script, settings, server, listener, async { client }, 6).await
            }
            Transport::Tcp => {
                let (listener, client) = transport::tcp().await;
                drive(script, settings, server, listener, async { client }, 24).await
            }
            Transport::Unix => {
                let (listener, client) = transport::unix().await;
                drive(script, settings, server, listener, async { client }, 24).await
            }
            Transport::Tls => {
                let (listener, client) = transport::tls().await;
                drive(script, settings, server, listener, transport::shake_hands(client), 24).await
            }
        }
    })
}

/// Runs a future on a clock that moves only where it is advanced, with or without sockets.
pub(crate) fn paused<T>(sockets: bool, future: impl Future<Output = T>) -> T {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(silence::silence);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    if sockets {
        runtime.enable_io();
    }
    runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
        tokio::spawn(keep_the_clock_still());
        future.await
    })
}

/// A paused clock jumps to the next timer when the runtime has nothing to run.
async fn keep_the_clock_still() {
    loop {
        yield_now().await;
    }
}

async fn drive<L: Listener, C: Client + 'static>(
    script: &Script,
    settings: Settings,
    server: &Server,
    listener: L,
    client: impl Future<Output = C>,
    quiet: usize,
) -> Outcome {
    let replay = match server {
        Server::Hyper(replay) => replay.clone(),
        Server::Serve => Replay::default(),
    };
    let (recording, listener) = (Arc::new(Recording::new(replay)), One::of(listener));
    let process = match server {
        Server::Hyper(_) => {
            tokio::spawn(process::bare(listener, settings, recording.clone()));
            None
        }
        Server::Serve => Some(Process::start(listener, settings, recording.clone()).await),
    };
    Driver::new(client.await, recording, process, quiet).run(script).await
}
