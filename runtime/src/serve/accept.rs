//! The accept loop of every kind of server, through all phases.

use super::{
    activity::{Limits, Mode},
    listener::Listener,
    population::Server,
};
use crate::{
    context::{self, Context},
    phase::Phase,
    report::Level,
};
use std::{future::poll_fn, io, sync::Arc, time::Duration};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

/// How often connections are looked at for timeouts.
const SWEEP: Duration = Duration::from_secs(1);
/// The same in the drain, where everyone waits for the slowest.
const SWEEP_IN_DRAIN: Duration = Duration::from_millis(100);
/// How long a lack of file descriptors pauses accepting, unless a connection ends before.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// What a server does with a connection: starts its task.
pub(crate) trait Handle<S>: Send + 'static {
    /// Starts the task of one connection, as a member of `server`.
    fn start(&self, server: &Arc<Server>, stream: S);
}

/// However the server's future ends, its connections learn of it.
struct FinishOnDrop(Arc<Server>);

impl Drop for FinishOnDrop {
    fn drop(&mut self) {
        self.0.set_mode(Mode::Drain);
    }
}

/// Accepts and serves until the process has drained.
///
/// # Panics
/// Without a context, outside of a process that has one.
pub(crate) async fn run<L: Listener, H: Handle<L::Stream>>(
    listener: L,
    context: Option<Context>,
    limits: Limits,
    handle: H,
) -> io::Result<()> {
    let context = context.unwrap_or_else(context::context);
    let server = Server::new(context.clone(), limits, &listener.name());
    let _finish = FinishOnDrop(server.clone());
    context.ready();
    let mut accept = Accept { listener, handle };
    accept.serve_until_the_drain(&server).await?;
    accept.empty_the_backlog(&server).await;
    drop(accept); // closes the listener
    drain(&server).await;
    Ok(())
}

struct Accept<L, H> {
    listener: L,
    handle: H,
}

impl<L: Listener, H: Handle<L::Stream>> Accept<L, H> {
    async fn serve_until_the_drain(&mut self, server: &Arc<Server>) -> io::Result<()> {
        let mut phases = server.context.0.watch();
        let mut sweeps = sweeps(SWEEP);
        let mut sweeping = false;
        let mut pause: Option<Instant> = None;
        loop {
            let phase = *phases.borrow_and_update();
            server.follow(phase);
            if phase >= Phase::Draining {
                return Ok(());
            }
            server.set_starved(pause.is_some());
            let accepting = pause.is_none() && server.has_room();
            tokio::select! {
                biased;
                _ = phases.changed() => {}
                () = server.armed() => {
                    sweeps.reset(); // the time without anybody to wait for ages nobody
                    sweeping = true;
                }
                _ = sweeps.tick(), if sweeping => sweeping = server.sweep(SWEEP),
                accepted = poll_fn(|cx| self.listener.poll_accept(cx)), if accepting => match accepted {
                    Ok(stream) => self.handle.start(server, stream),
                    Err(error) => pause = self.after(error, server)?,
                },
                () = server.one_left(), if !accepting => pause = None,
                () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => pause = None,
            }
        }
    }

    /// What an error of `accept` means: nothing, a pause, or the end.
    fn after(&self, error: io::Error, server: &Server) -> io::Result<Option<Instant>> {
        if is_of_one_connection(&error) {
            return Ok(None);
        }
        if !is_out_of_resources(&error) {
            return Err(error);
        }
        let name = self.listener.name();
        server.say_once(|| {
            server.context.0.recorder.note(
                Level::Warn,
                format!("{name} cannot accept: {error}; connections wait until others have ended. Raise the limit of open files (ulimit -n), or set max_connections below it"),
            );
        });
        Ok(Some(Instant::now() + OUT_OF_DESCRIPTORS))
    }

    /// Accepts what the kernel has completed and queued: closing the listener would reset it.
    async fn empty_the_backlog(&mut self, server: &Arc<Server>) {
        loop {
            match self.listener.accept_now() {
                Ok(stream) => self.handle.start(server, stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) if is_out_of_resources(&error) && server.mode() < Mode::Cut => {
                    server.set_starved(true);
                    let _ = tokio::time::timeout(OUT_OF_DESCRIPTORS, server.one_left()).await;
                    server.set_starved(false);
                    server.follow(server.context.phase());
                }
                Err(_) => return,
            }
        }
    }
}

/// Waits until the last connection has ended, or the hooks begin without the rest.
async fn drain(server: &Arc<Server>) {
    let mut hooks = std::pin::pin!(server.context.reached(Phase::Hooks));
    let mut sweeps = sweeps(SWEEP_IN_DRAIN);
    loop {
        tokio::select! {
            biased;
            () = server.emptied() => return,
            () = &mut hooks => return server.set_mode(Mode::Cut),
            _ = sweeps.tick() => {
                server.sweep(SWEEP_IN_DRAIN);
            }
        }
    }
}

/// The ticks of a sweep. Each counts as one period, however late it comes: a stall of this process is no fault of its
/// clients.
fn sweeps(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted | TimedOut)
}

/// EMFILE, ENFILE, ENOBUFS and ENOMEM: they pass.
fn is_out_of_resources(error: &io::Error) -> bool {
    const NO_BUFFERS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };
    const WINDOWS_TOO_MANY: i32 = 10024;
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(23 | 24 | NO_BUFFERS | WINDOWS_TOO_MANY))
}
