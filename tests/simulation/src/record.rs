//! What happened in a run, as the clients, the sockets and the handler have seen it.

use graceful::{Phase, Report};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The record of a run, shared by everything that runs in it.
#[derive(Debug, Clone, Default)]
pub struct Shared(Arc<Mutex<Record>>);

impl Shared {
    /// A record that prints what it records.
    pub fn tracing() -> Self {
        Self(Arc::new(Mutex::new(Record { is_traced: true, ..Record::default() })))
    }

    /// The record.
    pub fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of this client, for a change.
    pub fn on<T>(&self, client: SocketAddr, change: impl FnOnce(&mut Connection) -> T) -> T {
        change(self.lock().connections.entry(client).or_default())
    }

    /// The exchange with this number, for a change; `None` if no connection has sent it.
    pub fn exchange<T>(&self, number: usize, change: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        let mut record = self.lock();
        let mut exchanges = record.connections.values_mut().flat_map(|connection| &mut connection.exchanges);
        exchanges.find(|exchange| exchange.number == number).map(change)
    }

    /// Prints a line with the virtual time, if this run is traced.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        let record = self.lock();
        if record.is_traced {
            drop(record);
            println!("{:>8.3}s  {}", now().as_secs_f64(), line());
        }
    }
}

/// The virtual time since the run began.
pub fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

/// What happened in a run.
#[derive(Debug, Default)]
pub struct Record {
    is_traced: bool,
    /// The connections, by the address of their clients.
    pub connections: BTreeMap<SocketAddr, Connection>,
    /// When the lifecycle began.
    pub began: Duration,
    /// When the server closed its listener.
    pub listener_closed: Option<Duration>,
    /// How many connections waited in the backlog then.
    pub lost_in_backlog: usize,
    /// The report of the lifecycle, once it is over.
    pub report: Option<Report>,
}

/// A connection.
#[derive(Debug, Default)]
pub struct Connection {
    /// The host of the client.
    pub host: usize,
    /// Whether it speaks HTTP/2.
    pub http2: bool,
    /// Its requests, in order.
    pub exchanges: Vec<Exchange>,
    /// The bytes after each write of the client: each write is one message of the network.
    pub written: Vec<usize>,
    /// When the client wrote last.
    pub last_write: Duration,
    /// Whether the client has sent FIN.
    pub half_closed: bool,
    /// When and how it ended for the client.
    pub ended: Option<(Duration, Ended)>,
    /// How many bytes had arrived at the server when it closed its listener.
    pub arrived: usize,
    /// When the server accepted it.
    pub accepted: Option<Duration>,
    /// How many bytes the server has written.
    pub responded: usize,
    /// How many of them a client of HTTP/1.1 has read.
    pub read: usize,
    /// When the server last read or wrote bytes.
    pub last_io: Duration,
    /// When the server sent FIN, if it did before it dropped the connection.
    pub fin: Option<Duration>,
    /// When the server dropped it.
    pub dropped: Option<Duration>,
}

impl Connection {
    /// How many bytes the client has sent.
    pub fn sent(&self) -> usize {
        self.written.last().copied().unwrap_or_default()
    }

    /// Whether each request that was begun has its whole response.
    pub fn is_settled(&self) -> bool {
        let end = self.exchanges.last().map_or(0, |last| last.ends);
        self.exchanges.iter().all(|exchange| exchange.completed.is_some()) && (self.http2 || self.sent() == end)
    }
}

/// How a connection ended for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The server closed it.
    Eof,
    /// It was reset, or its protocol failed.
    Reset,
    /// The client closed it.
    ByClient,
}

/// A request with its response.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The number of the request.
    pub number: usize,
    /// Where the request ends in the bytes of its connection.
    pub ends: usize,
    /// When the client began to send it.
    pub began: Duration,
    /// How often the handler was called with it.
    pub calls: usize,
    /// When the handler returned its response, and in which phase.
    pub responded: Option<(Duration, Phase)>,
    /// When the server handed over the last bytes of the response.
    pub served: Option<Duration>,
    /// Whether the client has the head of the response.
    pub has_head: bool,
    /// Whether the head says `Connection: close`.
    pub closes: bool,
    /// When the client had the whole response.
    pub completed: Option<Duration>,
}
