//! The accept loop of every kind of server, through all phases.

use super::{
    listener::Listener,
    mode::{Limits, Mode},
    protocols::Protocols,
    server::Server,
};
use crate::{
    context::{self, Context},
    drain::tracker::{Guard, SERVER},
    os::descriptors::Descriptors,
    phase::Phase,
    spare_descriptor::SPARE,
};
use std::{future::poll_fn, io, sync::Arc, time::Duration};
use tokio::{
    task::yield_now,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until},
};

/// The period of sweeps for timeouts.
const SWEEP: Duration = Duration::from_secs(1);
/// The same in the drain, which waits for the slowest connection.
const SWEEP_IN_DRAIN: Duration = Duration::from_millis(100);
/// How long accepting pauses for lack of file descriptors, unless a connection ends earlier.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Starts the tasks of connections.
pub(crate) trait Handle<S>: Send + 'static {
    /// Starts the task of one connection of `server`.
    fn start(&self, server: &Arc<Server>, stream: S);
}

/// Drains the connections of a server whose future is dropped before it has drained.
struct DrainOnDrop(Option<(Arc<Server>, Guard)>);

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        if let Some((server, guard)) = self.0.take() {
            server.set_mode(Mode::Drain);
            server.context.0.runtime.clone().spawn(async move {
                drain(&server).await;
                drop(guard);
            });
        }
    }
}

/// Accepts and serves until the process has drained.
///
/// # Panics
/// Without a context, outside of a process that has one.
pub(crate) async fn run<L: Listener, H: Handle<L::Stream>>(
    mut listener: L,
    context: Option<Context>,
    limits: Limits,
    protocols: Protocols,
    handle: H,
) -> io::Result<()> {
    let context = context.unwrap_or_else(context::context);
    let name = listener.name();
    let server = Server::new(context.clone(), limits, protocols, &name);
    // The drain waits for the server itself, too: it has a backlog to empty, even if main has returned without awaiting
    // it.
    let mut drain_on_drop = DrainOnDrop(Some((server.clone(), context.0.tracker.guard(format!("{SERVER}{name}")))));
    listener.prepare();
    context.ready();
    let mut accept = Accept { listener, handle, descriptors: Descriptors::of_process() };
    accept.serve_until_the_drain(&server).await?;
    accept.empty_the_backlog(&server).await;
    server.open.set_starved(false);
    drop(accept); // closes the listener
    drain(&server).await;
    drain_on_drop.0 = None;
    Ok(())
}

struct Accept<L, H> {
    listener: L,
    handle: H,
    descriptors: Descriptors,
}

impl<L: Listener, H: Handle<L::Stream>> Accept<L, H> {
    async fn serve_until_the_drain(&mut self, server: &Arc<Server>) -> io::Result<()> {
        let mut phases = server.context.0.watch();
        let mut sweeps = sweeps(SWEEP);
        let mut sweeping = false;
        let mut pause: Option<Instant> = None;
        loop {
            let phase = *phases.borrow_and_update();
            server.set_mode(Mode::of(phase));
            if phase >= Phase::Draining {
                return Ok(());
            }
            if pause.is_none() && self.is_short_of_descriptors(server) {
                pause = Some(Instant::now() + OUT_OF_DESCRIPTORS);
            }
            server.open.set_starved(pause.is_some());
            let accepting = pause.is_none() && server.open.has_room();
            tokio::select! {
                biased;
                _ = phases.changed() => {}
                () = server.sweep_schedule.requested() => {
                    sweeps.reset(); // the period begins with the client that is waited for
                    sweeping = true;
                }
                _ = sweeps.tick(), if sweeping => sweeping = server.sweep(SWEEP),
                accepted = poll_fn(|cx| self.listener.poll_accept(cx)), if accepting => match accepted {
                    Ok(stream) => self.handle.start(server, stream),
                    Err(error) => pause = self.retry_at(error, server)?,
                },
                () = server.open.ended(), if !accepting => pause = None,
                () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => pause = None,
            }
        }
    }

    /// Whether a further connection would take a descriptor that probes and the program's own files may need. A server
    /// with few connections takes it: other parts of the program use the descriptors.
    fn is_short_of_descriptors(&mut self, server: &Server) -> bool {
        let is_short = server.open.count() >= self.descriptors.kept() && self.descriptors.are_short();
        if is_short {
            let kept = self.descriptors.kept();
            let name = self.listener.name();
            server.warn_once(|| {
                format!(
                    "{name} accepts no further connections until one ends: all but {kept} file descriptors are in use, \
                     which are left for probes and the program's files. Raise the limit of open files (ulimit -n), or \
                     set max_connections below it"
                )
            });
        }
        is_short
    }

    /// When to accept again after an error: at once (`None`), or after a pause.
    ///
    /// # Errors
    /// The listener is broken.
    fn retry_at(&self, error: io::Error, server: &Server) -> io::Result<Option<Instant>> {
        if is_connection_error(&error) {
            return Ok(None);
        }
        if is_listener_error(&error) {
            return Err(error);
        }
        let name = self.listener.name();
        server.warn_once(|| {
            format!(
                "{name} cannot accept: {error}; connections wait, and it tries again. If files are short, raise their \
                 limit (ulimit -n), or set max_connections below it"
            )
        });
        Ok(Some(Instant::now() + OUT_OF_DESCRIPTORS))
    }

    /// Accepts a connection from the backlog. Without a free descriptor `accept` fails even if the backlog is empty; a spare
    /// descriptor shows whether it is.
    fn accept_despite_exhausted_descriptors(&mut self) -> io::Result<L::Stream> {
        let accepted = self.listener.accept_nonblocking();
        match &accepted {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && SPARE.release() => {
                let again = self.listener.accept_nonblocking();
                SPARE.hold();
                again
            }
            _ => accepted,
        }
    }

    /// Accepts the connections in the kernel's backlog: closing the listener would reset them.
    async fn empty_the_backlog(&mut self, server: &Arc<Server>) {
        let mut sweeps = sweeps(SWEEP_IN_DRAIN);
        for turn in 1_u64.. {
            // Clients may connect as fast as this accepts: connections get their turn, and the drain has an end.
            if turn % 64 == 0 {
                yield_now().await;
                server.set_mode(Mode::of(server.context.phase()));
            }
            if server.mode() == Mode::Abort {
                return;
            }
            if self.is_short_of_descriptors(server) {
                wait_for_descriptors(server, &mut sweeps).await;
                continue;
            }
            match self.accept_despite_exhausted_descriptors() {
                Ok(stream) => self.handle.start(server, stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_connection_error(&error) => {}
                Err(error) if !is_listener_error(&error) => {
                    wait_for_descriptors(server, &mut sweeps).await;
                }
                Err(_) => return,
            }
        }
    }
}

/// Waits until a connection ends, or for a moment. Late clients time out meanwhile, so that connections do end.
async fn wait_for_descriptors(server: &Server, sweeps: &mut Interval) {
    server.open.set_starved(true); // until the backlog is empty
    tokio::select! {
        () = server.open.ended() => {}
        _ = sweeps.tick() => {
            server.sweep(SWEEP_IN_DRAIN);
        }
    }
    server.set_mode(Mode::of(server.context.phase()));
}

/// Waits until the last connection has ended; aborts the rest when the hooks begin.
async fn drain(server: &Arc<Server>) {
    let mut hooks = std::pin::pin!(server.context.reached(Phase::Hooks));
    let mut sweeps = sweeps(SWEEP_IN_DRAIN);
    loop {
        tokio::select! {
            biased;
            () = server.open.emptied() => return server.report_late_clients(),
            () = &mut hooks => {
                server.report_late_clients();
                return server.set_mode(Mode::Abort);
            }
            _ = sweeps.tick() => {
                server.sweep(SWEEP_IN_DRAIN);
            }
        }
    }
}

/// The ticks of a sweep. A late tick counts as one period: no client is late because this process has stalled.
fn sweeps(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted | TimedOut)
}

/// The errors of a listener that accepts nothing any more.
#[cfg(unix)]
const BROKEN: [i32; 4] = [libc::EBADF, libc::EFAULT, libc::EINVAL, libc::ENOTSOCK];
/// WSAEBADF, WSAEINVAL, WSAENOTSOCK.
#[cfg(windows)]
const BROKEN: [i32; 3] = [10009, 10022, 10038];

/// Whether an error is final: a broken listener, or an error that is not the system's. Others pass: a lack of file
/// descriptors or buffers, and network errors of connections that were never accepted.
fn is_listener_error(error: &io::Error) -> bool {
    match error.raw_os_error() {
        Some(code) => BROKEN.contains(&code),
        None => error.kind() != io::ErrorKind::OutOfMemory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn network_errors_of_one_connection_do_not_end_the_server() {
        use libc::*;
        for code in [EPERM, ENOMEM, EPROTO, ENETDOWN, EHOSTUNREACH, EMFILE, ENFILE, ENOBUFS] {
            assert!(!is_listener_error(&io::Error::from_raw_os_error(code)), "{code}");
        }
        for code in BROKEN {
            assert!(is_listener_error(&io::Error::from_raw_os_error(code)), "{code}");
        }
    }
}
