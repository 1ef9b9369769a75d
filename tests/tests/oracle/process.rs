//! The two servers: bare hyper, and a process that serves.

use crate::{
    handler::{Body, handle},
    recording::Recording,
    script::Moment,
    settings::Settings,
};
use graceful::{Builder, Context, Listener, Phase, Plan, Signal, Triggers};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, task::yield_now};

pub(crate) const GRACE: Duration = Duration::from_secs(8);
const PLAN: Plan = Plan {
    grace: GRACE,
    drain: Duration::from_secs(200),
    termination_grace_period: Duration::from_secs(300),
    health: graceful::Health::Off,
    ..Plan::DEFAULT
};
/// More rounds of the runtime than any phase takes to begin.
pub(crate) const ROUNDS: usize = 10_000;

/// The oracle: an accept loop around hyper.
pub(crate) async fn bare<L: Listener>(mut listener: L, settings: Settings, recording: Arc<Recording>) {
    let mut http1 = http1::Builder::new();
    settings.apply(&mut http1);
    while let Ok(stream) = poll_fn(|cx| listener.poll_accept(cx)).await {
        let service = service_of(recording.clone());
        tokio::spawn(http1.serve_connection(TokioIo::new(stream), service_fn(service)).with_upgrades());
    }
}

type Responding = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

fn service_of(recording: Arc<Recording>) -> impl Fn(Request<Incoming>) -> Responding + Clone {
    move |request| Box::pin(handle(recording.clone(), request))
}

/// A lifecycle with one server.
pub(crate) struct Process {
    triggers: Triggers,
    context: Context,
    /// Ends `main`, which begins the drain.
    main: Option<oneshot::Sender<()>>,
}

impl Process {
    /// Starts a process, and returns once it serves.
    pub(crate) async fn start<L: Listener>(listener: L, settings: Settings, recording: Arc<Recording>) -> Self {
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

    /// Begins a moment, without a wait.
    pub(crate) fn begin(&mut self, moment: Moment) {
        match moment {
            Moment::Grace(_) => self.triggers.signal(Signal::Terminate),
            Moment::Drain => drop(self.main.take()),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.context.phase()
    }

    /// Returns once the phase has begun.
    pub(crate) async fn reaches(&self, phase: Phase) {
        for _ in 0..ROUNDS {
            if self.context.phase() >= phase {
                return;
            }
            yield_now().await;
        }
        panic!("{phase} does not begin");
    }
}
