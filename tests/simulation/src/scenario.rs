//! What a seed decides: the plan, the network, the clients and their requests.

use fastrand::Rng;
use std::{ops::RangeInclusive, time::Duration};

/// One shutdown with everything that happens to it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The seed that all values come from.
    pub seed: u64,
    /// The step of virtual time: messages arrive at its multiples.
    pub tick: Duration,
    /// The range of a message's time on the network.
    pub latency: RangeInclusive<Duration>,
    /// The grace period.
    pub grace: Duration,
    /// The drain.
    pub drain: Duration,
    /// How the shutdown begins.
    pub stop: Stop,
    /// How long `main` works before it serves.
    pub start: Duration,
    /// The server's limits.
    pub limits: Limits,
    /// The imperfections of the server's sockets.
    pub sockets: Sockets,
    /// One entry for each client host.
    pub hosts: Vec<Host>,
    /// What the handler does with each request, by its number.
    pub handling: Vec<Handling>,
}

/// How a shutdown begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// When.
    pub at: Duration,
    /// What.
    pub kind: StopKind,
    /// When the second SIGINT follows, after the first.
    pub skip_after: Option<Duration>,
}

/// What begins a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
    /// `ctx.shutdown(..)`.
    Requested,
}

/// The server's limits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `header_timeout`.
    pub header: Duration,
    /// `body_timeout`.
    pub body: Duration,
    /// `max_connections`.
    pub connections: Option<usize>,
    /// hyper's `half_close`.
    pub half_close: bool,
}

/// The imperfections of the server's sockets: the runtime notices events late, and writes take less than they are given.
#[derive(Debug, Clone, Copy)]
pub struct Sockets {
    /// How many percent of the events are noticed late.
    pub late_percent: u8,
    /// The longest delay of a late event.
    pub late: Duration,
    /// How many percent of the writes are blocked for a moment.
    pub blocked_percent: u8,
    /// The most bytes that a write takes.
    pub write: usize,
    /// How many bytes a client of HTTP/1.1 may have unread before writes are blocked.
    pub window: usize,
}

/// A host with clients.
#[derive(Debug, Clone)]
pub struct Host {
    /// What happens to its network.
    pub trouble: Option<Trouble>,
    /// Its clients, which run at the same time.
    pub clients: Vec<Client>,
}

impl Host {
    /// Whether its network loses messages.
    pub fn loses(&self) -> bool {
        self.trouble.is_some_and(|trouble| trouble.loses)
    }
}

/// What happens to the network of a host.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// When.
    pub at: Duration,
    /// For how long.
    pub length: Duration,
    /// Whether messages are lost; else they are delayed until the trouble is over, as by retransmissions.
    pub loses: bool,
}

/// A client: one connection after the other.
#[derive(Debug, Clone)]
pub struct Client {
    /// When it connects first.
    pub start: Duration,
    /// HTTP/2 with concurrent requests; else HTTP/1.1.
    pub http2: bool,
    /// Its requests.
    pub requests: Vec<Request>,
    /// The most requests that it sends without their responses.
    pub pipelining: usize,
    /// Whether it connects once more for the requests that are left when a connection has ended.
    pub reconnects: bool,
    /// Whether it closes the connection behind a response with `Connection: close`; else it waits for the server.
    pub closes: bool,
    /// What it does when all its responses have come, or before.
    pub end: End,
    /// How it reads.
    pub reading: Reading,
}

/// How a client ends its last connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It keeps the connection open until the server closes it.
    KeepsOpen,
    /// It closes the connection after the last response.
    Closes,
    /// It sends FIN behind the last request.
    HalfCloses,
    /// It drops the connection at this time after it was opened, whatever is in progress.
    Drops(Duration),
}

/// How a client reads.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The most bytes of a read.
    pub size: usize,
    /// The pause before each read.
    pub pause: Duration,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its number, which its path contains.
    pub number: usize,
    /// The pause before it.
    pub think: Duration,
    /// Its body.
    pub body: Body,
    /// The most bytes of a write.
    pub piece: usize,
    /// The pause between two writes.
    pub gap: Duration,
}

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// With a `Content-Length`.
    Sized(usize),
    /// Chunked.
    Chunked(usize),
}

impl Body {
    /// Its bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Sized(length) | Self::Chunked(length) => length,
        }
    }
}

/// What the handler does with a request.
#[derive(Debug, Clone, Copy)]
pub struct Handling {
    /// Whether it reads the request's body before it responds.
    pub reads_body: bool,
    /// How long it works.
    pub work: Duration,
    /// How many chunks the response's body has.
    pub chunks: usize,
    /// The bytes of a chunk.
    pub chunk: usize,
    /// The pause before each chunk but the first.
    pub gap: Duration,
    /// Whether the length of the body is unknown.
    pub chunked: bool,
}

/// Choices by percent.
struct Dice(Rng);

impl Dice {
    fn chance(&mut self, percent: u8) -> bool {
        self.0.u8(0..100) < percent
    }

    fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.0.u64(range))
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.usize(0..of.len())]
    }
}

impl Scenario {
    /// Everything that this seed decides.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice(Rng::with_seed(seed));
        let tick = Duration::from_millis(dice.one(&[1, 1, 2, 5]));
        let shortest = dice.millis(1..=5);
        let latency = shortest..=shortest + dice.millis(0..=30);
        let grace = if dice.chance(20) { Duration::ZERO } else { dice.millis(1..=300) };
        let drain = match dice.chance(50) {
            true => dice.millis(20..=400),
            false => dice.millis(400..=2500),
        };
        let kind = dice.one(&[StopKind::Terminate, StopKind::Terminate, StopKind::Interrupt, StopKind::Requested]);
        let skips = kind == StopKind::Interrupt && dice.chance(15);
        let skip_after = if skips { Some(dice.millis(0..=400)) } else { None };
        let stop = Stop { at: dice.millis(0..=300), kind, skip_after };
        let limits = Limits {
            header: if dice.chance(30) { dice.millis(50..=1500) } else { Duration::from_secs(10) },
            body: if dice.chance(30) { dice.millis(50..=1500) } else { Duration::from_secs(30) },
            connections: if dice.chance(15) { Some(dice.0.usize(1..=4)) } else { None },
            half_close: dice.chance(50),
        };
        let sockets = Sockets {
            late_percent: dice.one(&[0, 20, 60, 100]),
            late: if dice.chance(70) { dice.millis(1..=12) } else { dice.millis(20..=80) },
            blocked_percent: dice.one(&[0, 0, 10, 40]),
            write: dice.one(&[usize::MAX, usize::MAX, 1000, 64, 30]),
            window: dice.one(&[usize::MAX, 4000, 500]),
        };
        let mut handling = Vec::new();
        let hosts = (0..dice.0.usize(1..=3)).map(|_| host(&mut dice, &mut handling)).collect();
        let start = if dice.chance(20) { dice.millis(1..=100) } else { Duration::ZERO };
        Self { seed, tick, latency, grace, drain, stop, start, limits, sockets, hosts, handling }
    }
}

fn host(dice: &mut Dice, handling: &mut Vec<Handling>) -> Host {
    let trouble = dice.chance(20).then(|| Trouble {
        at: dice.millis(5..=600),
        length: dice.millis(5..=400),
        loses: dice.chance(50),
    });
    Host { trouble, clients: (0..dice.0.usize(1..=4)).map(|_| client(dice, handling)).collect() }
}

fn client(dice: &mut Dice, handling: &mut Vec<Handling>) -> Client {
    let http2 = dice.chance(12);
    // A client in no hurry has most of its requests in the shutdown, and one that sends nothing has none.
    let think = dice.one(&[0, 0, 5, 40, 150]);
    let requests = if dice.chance(4) { 0 } else { dice.0.usize(1..=6) };
    Client {
        start: dice.millis(0..=500),
        http2,
        requests: (0..requests).map(|_| request(dice, handling, http2, think)).collect(),
        pipelining: if dice.chance(20) { dice.0.usize(2..=4) } else { 1 },
        reconnects: dice.chance(70),
        closes: dice.chance(50),
        end: match dice.0.u8(0..100) {
            0..60 => End::KeepsOpen,
            60..75 => End::Closes,
            75..88 => End::HalfCloses,
            _ => End::Drops(dice.millis(1..=500)),
        },
        reading: match dice.chance(15) {
            true => Reading { size: dice.0.usize(100..=2000), pause: dice.millis(1..=10) },
            false => Reading { size: 65536, pause: Duration::ZERO },
        },
    }
}

fn request(dice: &mut Dice, handling: &mut Vec<Handling>, http2: bool, think: u64) -> Request {
    let number = handling.len();
    let body = match dice.0.u8(0..100) {
        0..60 => Body::Empty,
        60..85 => Body::Sized(dice.0.usize(1..=3000)),
        _ => Body::Chunked(dice.0.usize(1..=3000)),
    };
    let streams = dice.chance(25);
    handling.push(Handling {
        reads_body: dice.chance(85),
        work: if dice.chance(50) { Duration::ZERO } else { dice.millis(1..=200) },
        chunks: if streams { dice.0.usize(2..=6) } else { dice.0.usize(0..=1) },
        chunk: dice.one(&[1, 100, 100, 3000]),
        gap: if streams { dice.millis(0..=80) } else { Duration::ZERO },
        chunked: dice.chance(50),
    });
    let is_slow = !http2 && dice.chance(15);
    Request {
        number,
        think: dice.millis(0..=think),
        body,
        piece: if is_slow { dice.0.usize(1..=80) } else { dice.one(&[65536, 65536, 500]) },
        gap: if is_slow { dice.millis(1..=60) } else { dice.millis(0..=2) },
    }
}
