//! Runs a script against bare hyper or against `serve`, each in a runtime and a lifecycle of its own.
//!
//! The clock of the runtime is paused and moves only where a script says so; sockets and scheduling are real.

use crate::{
    handler::{Body, Replay, handle},
    recording::{Recording, Seen},
    script::{Moment, Script, Step},
    settings::Settings,
    transport::{self, Client, Transport},
};
use graceful::{Builder, Context, Listener, Phase, Plan, Signal, Triggers};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    sync::{Arc, Mutex, Once},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    sync::oneshot,
    task::yield_now,
};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

const GRACE: Duration = Duration::from_secs(8);
const PLAN: Plan = Plan {
    grace: GRACE,
    drain: Duration::from_secs(200),
    termination_grace_period: Duration::from_secs(300),
    health: graceful::Health::Off,
    ..Plan::DEFAULT
};
/// The longest step of the clock: a tenth of a second is the period of the sweep in the drain.
const TICK: Duration = Duration::from_millis(100);
/// Longer than the timeouts of a server.
const PATIENCE: Duration = Duration::from_secs(35);
/// More rounds than any phase takes to begin.
const ROUNDS: usize = 10_000;

/// A server under test.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    /// Bare hyper, whose responses say what those of `serve` have said.
    Hyper(Replay),
    Serve,
}

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

/// A subscriber that hears nothing, instead of a timeline on stderr for each run.
struct Silence;

impl Subscriber for Silence {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs a script to its end.
pub(crate) fn run(script: &Script, transport: Transport, settings: Settings, server: &Server) -> Outcome {
    static SILENCE: Once = Once::new();
    SILENCE.call_once(|| drop(tracing::subscriber::set_global_default(Silence)));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    if transport != Transport::Memory {
        runtime.enable_io();
    }
    runtime.enable_time().start_paused(true).build().unwrap().block_on(async {
        tokio::spawn(keep_the_clock_still());
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
    let recording = Arc::new(Recording::new(replay));
    let process = match server {
        Server::Hyper(_) => {
            tokio::spawn(bare(listener, settings, recording.clone()));
            None
        }
        Server::Serve => Some(Process::start(listener, settings, recording.clone()).await),
    };
    let (reader, writer) = split(client.await);
    let received = Arc::new(Mutex::new(Received::default()));
    tokio::spawn(receive(reader, received.clone(), recording.clone()));
    let mut driver = Driver { recording, received, writer, process, quiet };
    driver.settle().await;
    driver.run(script).await
}

/// The oracle: an accept loop around hyper.
async fn bare<L: Listener>(mut listener: L, settings: Settings, recording: Arc<Recording>) {
    let mut http1 = http1::Builder::new();
    settings.apply(&mut http1);
    while let Ok(stream) = poll_fn(|cx| listener.poll_accept(cx)).await {
        let service = service_of(recording.clone());
        tokio::spawn(http1.serve_connection(TokioIo::new(stream), service_fn(service)).with_upgrades());
    }
}

fn service_of(
    recording: Arc<Recording>,
) -> impl Fn(Request<Incoming>) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>> + Clone
{
    move |request| Box::pin(handle(recording.clone(), request))
}

/// A lifecycle with one server.
struct Process {
    triggers: Triggers,
    context: Context,
    /// Ends `main`, which begins the drain.
    main: Option<oneshot::Sender<()>>,
}

impl Process {
    async fn start<L: Listener>(listener: L, settings: Settings, recording: Arc<Recording>) -> Self {
        let builder = Builder::for_tests().plan(PLAN);
        let triggers = builder.triggers();
        let (main, over) = oneshot::channel();
        let (started, context) = oneshot::channel();
        tokio::spawn(builder.run_here(move |context| async move {
            let serve = graceful::serve(listener, service_fn(service_of(recording)))
                .with_context(context.clone())
                .http1(move |http1| settings.apply(http1));
            tokio::spawn(serve.into_future());
            let _ = started.send(context);
            let _ = over.await;
        }));
        let context = context.await.unwrap();
        let process = Self { triggers, context, main: Some(main) };
        process.reaches(Phase::Serving).await;
        process
    }

    fn begin(&mut self, moment: Moment) {
        match moment {
            Moment::Grace(_) => self.triggers.signal(Signal::Terminate),
            Moment::Drain => drop(self.main.take()),
        }
    }

    async fn reaches(&self, phase: Phase) {
        for _ in 0..ROUNDS {
            if self.context.phase() >= phase {
                return;
            }
            yield_now().await;
        }
        panic!("{phase} does not begin");
    }
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
            read = reader.read(&mut buffer) => read,
            () = resumed => continue,
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
struct Driver<C> {
    recording: Arc<Recording>,
    received: Arc<Mutex<Received>>,
    writer: WriteHalf<C>,
    process: Option<Process>,
    /// For how many rounds of the runtime nothing has to happen until it is quiet.
    quiet: usize,
}

impl<C: Client> Driver<C> {
    async fn run(&mut self, script: &Script) -> Outcome {
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
            Step::Send(bytes) => {
                let _ = self.writer.write_all(bytes).await;
                let _ = self.writer.flush().await;
            }
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
