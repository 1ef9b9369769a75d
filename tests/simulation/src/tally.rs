//! What runs add up to.

/// What a run adds to the totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Connections that the server accepted.
    pub connections: u64,
    /// Requests that were begun.
    pub requests: u64,
    /// Requests with a whole response.
    pub answered: u64,
    /// Requests that had arrived when the listener closed, and were not answered then.
    pub in_flight: u64,
    /// Of these, answered by the drain.
    pub drained: u64,
    /// Of these, left by their client, or with a response that the network has lost.
    pub left: u64,
    /// Of these, sent behind the last response of their connection.
    pub behind_close: u64,
    /// Of these, cut with their connection.
    pub cut_requests: u64,
    /// Connections that the report names as cut.
    pub cut: u64,
    /// Responses that were lost with a connection of a documented gap: a client that sends behind an unread response.
    pub gaps: u64,
    /// Runs in which the drain was cut short.
    pub cut_runs: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.connections += other.connections;
        self.requests += other.requests;
        self.answered += other.answered;
        self.in_flight += other.in_flight;
        self.drained += other.drained;
        self.left += other.left;
        self.behind_close += other.behind_close;
        self.cut_requests += other.cut_requests;
        self.cut += other.cut;
        self.gaps += other.gaps;
        self.cut_runs += other.cut_runs;
    }
}
