//! What a load and a process do, as they are recorded. Times are microseconds since the start of the load.

use super::outcome::Outcome;
use std::collections::BTreeMap;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// The intended send time.
    pub(crate) due: u64,
    /// How much later than `due` an idle client took the request. `None`: no client was idle.
    pub(crate) late: Option<u32>,
    /// From `due` to the end of the request.
    pub(crate) latency: u32,
    pub(crate) outcome: Outcome,
    /// A request or a stream of a long client.
    pub(crate) long: Option<Long>,
}

/// What a long client keeps in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Long {
    Slow,
    Upload,
    WebSocket,
    Stream,
}

impl Long {
    pub(crate) const ALL: [Self; 4] = [Self::Slow, Self::Upload, Self::WebSocket, Self::Stream];

    /// The name of its row in a report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow requests",
            Self::Upload => "uploads",
            Self::WebSocket => "WebSockets",
            Self::Stream => "streams",
        }
    }
}

impl Record {
    pub(crate) fn end(&self) -> u64 {
        self.due + u64::from(self.latency)
    }
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEvent {
    Opened,
    /// The server asked the client to reconnect: `Connection: close`, or GOAWAY.
    Asked,
    /// The server closed the connection without a request on it.
    ClosedIdle,
    /// The connection ended with a request on it.
    Cut,
}

/// Everything that a load records.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) records: Vec<Record>,
    pub(crate) connections: Vec<(u64, ConnectionEvent)>,
    /// For each failure, the end of the first such request and its error.
    pub(crate) errors: BTreeMap<Outcome, (u64, String)>,
}

impl Log {
    pub(crate) fn add_error(&mut self, outcome: Outcome, end: u64, error: String) {
        let first = self.errors.entry(outcome).or_insert_with(|| (end, error.clone()));
        if end < first.0 {
            *first = (end, error);
        }
    }

    /// Adds the log of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        self.records.extend(other.records);
        self.connections.extend(other.connections);
        for (outcome, (end, error)) in other.errors {
            self.add_error(outcome, end, error);
        }
    }
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    /// Ended by a signal that it does not handle.
    Signal(i32),
    /// Ended by the SIGKILL at the end of the termination grace period.
    Killed,
    /// Ended by the kernel: the container is out of memory.
    OutOfMemory,
    /// The pod was removed before its end was seen.
    Unseen,
}

/// What is known of a shutdown besides its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Observed {
    /// A process that this command started.
    Process {
        /// Whether a readiness URL was watched.
        watched: bool,
        children_left: bool,
        /// Bytes printed by the program.
        printed: u64,
    },
    /// A container of a pod, as the API server reports it.
    Container {
        /// The reason of its end: `Completed`, `Error`.
        reason: String,
        /// The termination message.
        message: String,
    },
}

/// A shutdown as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shutdown {
    /// The name of the copy of the program.
    pub(crate) name: String,
    /// The name of what asks for it: a signal, or the deletion of a pod.
    pub(crate) signal: &'static str,
    pub(crate) sent: u64,
    /// When it turned unready, and how: `503`, or an error.
    pub(crate) unready: Option<(u64, String)>,
    pub(crate) exited: u64,
    pub(crate) exit: Exit,
    pub(crate) observed: Observed,
}

impl Shutdown {
    /// Microseconds from the signal to the exit.
    pub(crate) fn exit_after(&self) -> u64 {
        self.exited.saturating_sub(self.sent)
    }

    /// Microseconds from the signal to the first response of the readiness URL that is not 2xx.
    pub(crate) fn unready_after(&self) -> Option<u64> {
        self.unready.as_ref().map(|(at, _)| at.saturating_sub(self.sent))
    }
}

/// The end of a container or pod that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incident {
    /// The name of the pod, and of its container.
    pub(crate) name: String,
    pub(crate) at: u64,
    /// What happened, in the words of a report.
    pub(crate) what: String,
}
