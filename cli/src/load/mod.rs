//! A load without retries: threads of its own, so that neither the live line nor the watched process delays a request.

mod client;
mod connection;
mod endpoint;
mod fault;
mod grpc;
mod long;
mod request;
mod rotation;
mod schedule;
mod shared;
mod spoken;
mod tls;
mod transport;
mod upload;

pub(crate) use connection::fetch;
pub(crate) use endpoint::{Endpoint, HTTP, Schemes, WEBSOCKET, check};
pub(crate) use fault::Fault;
pub(crate) use grpc::Call;
pub(crate) use request::{Exchange, Mode};
pub(crate) use rotation::Rotation;
pub(crate) use schedule::Schedule;
pub(crate) use shared::Shared;
pub(crate) use spoken::mismatch;
pub(crate) use tls::Trust;

use crate::report::{Log, Long, Outcome, Record};
use client::Client;
use std::{cell::RefCell, io, mem, rc::Rc, sync::Arc, thread};
use tokio::{runtime::Builder, task::LocalSet};

/// A running load. Dropping it stops the load.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<Log>>,
}

impl Load {
    /// Starts the load with this many connections, and the long clients of these URLs.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(crate) fn start(shared: Shared, connections: u32, long: Vec<(Long, Endpoint)>) -> io::Result<Self> {
        let shared = Arc::new(shared);
        let mut load = Self { shared: shared.clone(), threads: Vec::new() };
        let count = thread::available_parallelism().map_or(1, usize::from).min(connections as usize).max(1);
        for number in 0..count {
            let at = |number| connections as usize * number / count;
            let clients = at(number)..at(number + 1);
            let shared = shared.clone();
            // Each kind of long clients is spread over the threads.
            let of_thread = (0..long::CLIENTS).skip(number).step_by(count);
            let long: Vec<_> = of_thread.flat_map(|client| long.iter().map(move |one| (one.clone(), client))).collect();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            load.threads.push(thread::Builder::new().name(format!("load-{number}")).spawn(move || {
                let log = Rc::new(RefCell::new(Log::default()));
                let tasks = LocalSet::new();
                for mode in clients.map(|client| shared.modes[client % shared.modes.len()]) {
                    tasks.spawn_local(Client::new(shared.clone(), log.clone(), mode).run());
                }
                for (target, client) in long {
                    tasks.spawn_local(long::run(shared.clone(), log.clone(), target, client));
                }
                runtime.block_on(tasks);
                log.take()
            })?);
        }
        load.threads.push(thread::Builder::new().name("schedule".to_owned()).spawn(move || {
            shared.schedule.run();
            let unsent = |due| Record { due, late: None, latency: 0, outcome: Outcome::Unsent, long: None };
            Log { records: shared.schedule.untaken().map(unsent).collect(), ..Log::default() }
        })?);
        Ok(load)
    }

    /// Stops the load and waits for requests in flight, each at most for its time limit.
    pub(crate) async fn finish(mut self) -> Log {
        self.shared.schedule.stop();
        let threads = mem::take(&mut self.threads);
        let join = move || {
            let mut all = Log::default();
            for log in threads.into_iter().filter_map(|thread| thread.join().ok()) {
                all.merge(log);
            }
            all
        };
        tokio::task::spawn_blocking(join).await.unwrap_or_default()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.schedule.stop();
    }
}
