//! Scripts: what a client does to a server, step by step, and when the process changes its phase.

use std::{fmt, time::Duration};

/// A moment in the lifecycle of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This percentage of the grace period has passed.
    Grace(u32),
    /// The drain has begun.
    Drain,
}

/// One step. The driver waits after each until the runtime is quiet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The client writes these bytes at once.
    Send(Vec<u8>),
    /// The client closes its sending side.
    HalfClose,
    /// The client stops or begins to read what the server sends.
    Read(bool),
    /// One handler, streamed body or kept body that waits at the gate goes on.
    Release,
    /// The process enters this moment. Nothing happens to bare hyper.
    Enter(Moment),
    /// The clock moves.
    Advance(Duration),
    /// These steps, without a wait between them.
    Join(Vec<Step>),
}

/// What a client does on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    /// Where the requests end in the client's byte stream, in order.
    pub(crate) ends: Vec<usize>,
    sent: usize,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// These steps, which send requests that end there.
    pub(crate) fn of(steps: Vec<Step>, ends: Vec<usize>) -> Self {
        Self { steps, ends, sent: 0 }
    }

    /// Sends a part of a request that is not its last.
    pub(crate) fn part(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.sent += bytes.as_ref().len();
        self.then(Step::Send(bytes.as_ref().to_vec()))
    }

    /// Sends a request, or its last part.
    pub(crate) fn request(self, bytes: impl AsRef<[u8]>) -> Self {
        self.pipelined([bytes])
    }

    /// Sends requests in one packet.
    pub(crate) fn pipelined<B: AsRef<[u8]>>(mut self, requests: impl IntoIterator<Item = B>) -> Self {
        let mut packet = Vec::new();
        for request in requests {
            packet.extend(request.as_ref());
            self.ends.push(self.sent + packet.len());
        }
        self.sent += packet.len();
        self.then(Step::Send(packet))
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn release(self) -> Self {
        self.then(Step::Release)
    }

    pub(crate) fn read(self, reads: bool) -> Self {
        self.then(Step::Read(reads))
    }

    pub(crate) fn enter(self, moment: Moment) -> Self {
        self.then(Step::Enter(moment))
    }

    pub(crate) fn advance(self, seconds: u64) -> Self {
        self.then(Step::Advance(Duration::from_secs(seconds)))
    }

    pub(crate) fn half_close(self) -> Self {
        self.then(Step::HalfClose)
    }

    /// Merges the last two steps, so that nothing happens between them.
    pub(crate) fn joined(mut self) -> Self {
        let merged = self.steps.split_off(self.steps.len().saturating_sub(2));
        self.then(Step::Join(merged))
    }

    /// This script with its last step replaced by so many seconds.
    pub(crate) fn advancing(mut self, seconds: u64) -> Self {
        self.steps.pop();
        self.advance(seconds)
    }

    /// This script with the moment entered before the step at `index`.
    pub(crate) fn with_moment_at(&self, index: usize, moment: Moment) -> Self {
        let mut script = self.clone();
        script.steps.insert(index, Step::Enter(moment));
        script
    }

    /// The last moment that the script enters.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.steps.iter().rev().find_map(Step::moment)
    }

    /// The index of the first step that enters a moment that fits.
    pub(crate) fn entry(&self, fits: impl Fn(Moment) -> bool) -> Option<usize> {
        self.steps.iter().position(|step| step.moment().is_some_and(&fits))
    }

    /// Where the request with this index starts in the client's byte stream.
    pub(crate) fn start_of(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or(usize::MAX))
    }

    /// How many bytes the client has sent before the step at `index`.
    pub(crate) fn sent_before(&self, index: usize) -> usize {
        self.steps[..index].iter().map(Step::sends).sum()
    }
}

impl Step {
    fn moment(&self) -> Option<Moment> {
        match self {
            Self::Enter(moment) => Some(*moment),
            Self::Join(steps) => steps.iter().rev().find_map(Self::moment),
            _ => None,
        }
    }

    /// Whether the server sees this step in its socket.
    pub(crate) fn uses_the_socket(&self) -> bool {
        match self {
            Self::Send(_) | Self::HalfClose => true,
            Self::Join(steps) => steps.iter().any(Self::uses_the_socket),
            _ => false,
        }
    }

    pub(crate) fn releases(&self) -> bool {
        match self {
            Self::Release => true,
            Self::Join(steps) => steps.iter().any(Self::releases),
            _ => false,
        }
    }

    fn sends(&self) -> usize {
        match self {
            Self::Send(bytes) => bytes.len(),
            Self::Join(steps) => steps.iter().map(Self::sends).sum(),
            _ => 0,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "Send({})", bytes.escape_ascii()),
            Self::HalfClose => f.write_str("HalfClose"),
            Self::Read(reads) => write!(f, "Read({reads})"),
            Self::Release => f.write_str("Release"),
            Self::Enter(moment) => write!(f, "Enter({moment:?})"),
            Self::Advance(time) => write!(f, "Advance({time:?})"),
            Self::Join(steps) => write!(f, "Join({steps:?})"),
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().enumerate().try_for_each(|(index, step)| writeln!(f, "  {index:2} {step:?}"))
    }
}
