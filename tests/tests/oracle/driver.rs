//! Takes a client and a server through a script, and observes.

use crate::{
    process::{GRACE, Process, ROUNDS},
    recording::{Recording, Seen},
    script::{Moment, Script, Step},
    transport::Client,
};
use graceful::Phase;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    task::yield_now,
};

/// The longest step of the clock: a tenth of a second is the period of the sweep in the drain.
const TICK: Duration = Duration::from_millis(100);
/// Longer than the timeouts of a server.
const PATIENCE: Duration = Duration::from_secs(35);

/// How the server has ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    Reset,
    /// TLS ends without `close_notify`.
    Truncated,
}

/// What a run has come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    /// In which step each handler has responded.
    pub(crate) responded: Vec<Option<usize>>,
    pub(crate) bytes: Vec<u8>,
    /// How many bytes the client has received after each step.
    pub(crate) marks: Vec<usize>,
    /// How the connection has ended, and after which step.
    pub(crate) end: Option<(End, usize)>,
    /// Whether it has ended after a further [`PATIENCE`].
    pub(crate) ends_late: bool,
}

#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    end: Option<End>,
    /// The client does not read.
    pauses: bool,
}

/// Receives what the server sends, unless the client pauses.
async fn receive<C: Client>(mut reader: ReadHalf<C>, received: Arc<Mutex<Received>>, recording: Arc<Recording>) {
    let mut buffer = [0; 16384];
    loop {
        let resumed = recording.changed.notified();
        if received.lock().unwrap().pauses {
            resumed.await;
            continue;
        }
        let read = tokio::select! {
            biased;
            () = resumed => continue,
            read = reader.read(&mut buffer) => read,
        };
        let mut received = received.lock().unwrap();
        recording.note();
        match read {
            Ok(length @ 1..) => received.bytes.extend(&buffer[..length]),
            ended => return received.end = Some(End::of(&ended)),
        }
    }
}

impl End {
    fn of(read: &io::Result<usize>) -> Self {
        match read {
            Ok(_) => Self::Fin,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Truncated,
            Err(_) => Self::Reset,
        }
    }
}

/// Takes a client and a process through a script.
pub(crate) struct Driver<C> {
    recording: Arc<Recording>,
    received: Arc<Mutex<Received>>,
    writer: WriteHalf<C>,
    process: Option<Process>,
    /// For how many rounds of the runtime nothing has to happen until it is quiet.
    quiet: usize,
}

impl<C: Client + 'static> Driver<C> {
    pub(crate) fn new(client: C, recording: Arc<Recording>, process: Option<Process>, quiet: usize) -> Self {
        let (reader, writer) = split(client);
        let received = Arc::new(Mutex::new(Received::default()));
        tokio::spawn(receive(reader, received.clone(), recording.clone()));
        Self { recording, received, writer, process, quiet }
    }

    pub(crate) async fn run(&mut self, script: &Script) -> Outcome {
        self.settle().await;
        let (mut marks, mut end, mut passed) = (Vec::new(), None, 0);
        for (index, step) in script.steps.iter().enumerate() {
            self.recording.begin_step(index);
            self.step(step).await;
            self.finish(step, &mut passed).await;
            self.settle().await;
            let received = self.received.lock().unwrap();
            marks.push(received.bytes.len());
            end = end.or(received.end.map(|end| (end, index)));
        }
        let (seen, responded) = (self.recording.seen(), self.recording.responded());
        let bytes = self.received.lock().unwrap().bytes.clone();
        let ends_late = end.is_none() && script.moment() == Some(Moment::Drain) && self.ends_late().await;
        Outcome { seen, responded, bytes, marks, end, ends_late }
    }

    /// Whether the timeouts of `serve` end what a script has left open.
    async fn ends_late(&self) -> bool {
        if self.process.is_some() {
            self.advance(PATIENCE).await;
            self.settle().await;
        }
        self.received.lock().unwrap().end.is_some()
    }

    /// Does what a step says, without a wait where that is possible.
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Send(bytes) => self.send(bytes).await,
            Step::HalfClose => drop(self.writer.shutdown().await),
            Step::Read(reads) => {
                self.received.lock().unwrap().pauses = !reads;
                self.recording.changed.notify_waiters();
            }
            Step::Release => self.recording.release(),
            Step::Enter(moment) => self.process.iter_mut().for_each(|process| process.begin(*moment)),
            Step::Advance(_) => {}
            Step::Join(steps) => {
                for step in steps {
                    Box::pin(self.step(step)).await;
                }
            }
        }
    }

    /// Sends these bytes. A connection that is gone takes none.
    async fn send(&mut self, bytes: &[u8]) {
        let sent = async {
            let _ = self.writer.write_all(bytes).await;
            let _ = self.writer.flush().await;
        };
        let stuck = async {
            for _ in 0..ROUNDS {
                yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = sent => {}
            () = stuck => panic!("the server does not take {} bytes", bytes.len()),
        }
    }

    /// Waits for what a step has begun.
    async fn finish(&mut self, step: &Step, percent: &mut u32) {
        match step {
            Step::Advance(time) => self.advance(*time).await,
            Step::Enter(moment) => {
                let Some(process) = &self.process else { return };
                match moment {
                    Moment::Drain => process.reaches(Phase::Draining).await,
                    Moment::Grace(until) => {
                        process.reaches(Phase::Grace).await;
                        let further = until.saturating_sub(*percent);
                        *percent += further;
                        self.advance(GRACE * further / 100).await;
                    }
                }
            }
            Step::Join(steps) => {
                for step in steps {
                    Box::pin(self.finish(step, percent)).await;
                }
            }
            _ => {}
        }
    }

    /// Moves the clock, no faster than the sweeps of a server follow.
    async fn advance(&self, mut time: Duration) {
        while !time.is_zero() {
            let tick = time.min(TICK);
            tokio::time::advance(tick).await;
            yield_now().await;
            yield_now().await;
            time -= tick;
        }
    }

    /// Waits until nothing happens any more.
    async fn settle(&self) {
        let (mut events, mut rounds) = (self.recording.events(), 0);
        while rounds < self.quiet {
            yield_now().await;
            rounds += 1;
            let now = self.recording.events();
            if now != events {
                (events, rounds) = (now, 0);
            }
        }
    }
}
