//! The control thread: signals, probes and deadlines, on an OS thread and a runtime of their own.
//!
//! The user's runtime may be starved, deadlocked or blocked: probes are still answered, deadlines still hold, and
//! the process still exits. Nothing here calls a user's function or drops a user's value; hooks and tasks run on the
//! user's runtime, and a user's log is written by the log thread. (Known exceptions stand in ARCHITECTURE.md.)

#[cfg(feature = "metrics")]
use crate::checks::board::On;
#[cfg(any(feature = "metrics", all(feature = "systemd", unix)))]
use crate::integrations;
use crate::{
    cause::Signal,
    checks::{descriptor as check, runner},
    context::{self, Context, Request, Shared},
    error::StartError,
    health::server,
    hooks::descriptor as hook,
    hooks::registry,
    lifecycle::main_run::{self, MainReturn},
    lifecycle::orchestrator,
    os::container,
    os::init,
    os::process,
    os::signals,
    report::exit_code,
    report::log::{self, Log, TERMINATION_LOG_LIMIT},
    report::recorder::Recorder,
    report::summary::{Level, Report},
    settings::{self, Settings},
};
use graceful_plan::{Plan, duration::Pretty};
use std::{
    future::Future,
    io::{self, Write},
    net::TcpListener,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};
use tokio::{
    runtime::{self, Runtime},
    sync::{mpsc::UnboundedReceiver, oneshot},
};

/// How long the log may take to write the summary, and systemd to be told that the process stops.
const LOG_PATIENCE: Duration = Duration::from_millis(250);
/// The longest that a finished process waits for its main thread before it exits without it.
const EXIT_PATIENCE: Duration = Duration::from_millis(500);

/// The kind of tokio runtime that `main` runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavor {
    /// A pool of worker threads.
    #[default]
    MultiThread,
    /// The main thread alone.
    CurrentThread,
}

/// The tokio runtime that `main` runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuntimeConfig {
    /// Its kind.
    pub flavor: Flavor,
    /// How many worker threads; one for each processor if not said.
    pub worker_threads: Option<usize>,
    /// How many threads for blocking code at the most; tokio's default (512) if not said.
    pub max_blocking_threads: Option<usize>,
}

impl RuntimeConfig {
    fn build(&self) -> io::Result<Runtime> {
        let mut builder = match self.flavor {
            Flavor::MultiThread => runtime::Builder::new_multi_thread(),
            Flavor::CurrentThread => runtime::Builder::new_current_thread(),
        };
        if let Some(threads) = self.worker_threads {
            builder.worker_threads(threads);
        }
        if let Some(threads) = self.max_blocking_threads {
            builder.max_blocking_threads(threads);
        }
        builder.enable_all().build()
    }
}

/// Everything that a process is started with.
#[derive(Debug, Clone)]
pub struct Main {
    /// The settings of the shutdown, before the environment's overrides.
    pub plan: Plan,
    /// The signals that begin it.
    pub signals: &'static [Signal],
    /// The runtime of `main`.
    pub runtime: RuntimeConfig,
    /// The package that `main` stands in.
    pub package: &'static str,
}

/// Runs `main` as a process: returns the exit code when everything is over.
pub(crate) fn run<F, Fut>(main: Main, linked_hooks: bool, user_main: F) -> u8
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: MainReturn,
{
    match start(&main, linked_hooks) {
        Ok(Started::Running(process)) => process.run(user_main),
        Ok(Started::Over(code)) => code,
        Err(error) => {
            let named = std::env::var_os("GRACEFUL_TERMINATION_LOG").map(PathBuf::from);
            log::last_words(format!("graceful: refused to start: {error}\n"), named, LOG_PATIENCE);
            exit_code::CONFIG
        }
    }
}

enum Started {
    Running(Process),
    /// There is nothing to run: the plan was printed, or this was the init of a program that has ended.
    Over(u8),
}

/// A process whose control thread runs.
struct Process {
    runtime: Runtime,
    context: Context,
    finished: oneshot::Receiver<u8>,
}

fn start(main: &Main, linked_hooks: bool) -> Result<Started, StartError> {
    if linked_hooks && hook::linked().is_none() {
        return Err(StartError::Linking);
    }
    let hooks = if linked_hooks { registry::linked() } else { Vec::new() };
    let checks = if linked_hooks { check::linked()? } else { Vec::new() };
    let settings = Settings::resolve(main.plan, &hooks, |name| std::env::var_os(name))?;
    if settings.print_plan {
        let _ = writeln!(io::stdout(), "{}", settings::printed(main.package, &settings.plan, &hooks, &checks));
        return Ok(Started::Over(0));
    }
    if let Some(code) = init::run_if_asked(settings.plan.init)? {
        return Ok(Started::Over(code));
    }
    let system = |what| move |error| StartError::System { what, error };
    // Control first, so that signals and probes are answered before anything of the user's begins.
    let control_runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("the control runtime could not be built"))?;
    let health = server::bind(settings.plan.health)?;
    let log = Log::start().map_err(system("the log thread could not be started"))?;
    let runtime = main.runtime.build().map_err(system("the runtime of main could not be built"))?;

    let sink = log.clone();
    let recorder = Recorder::new(move |entry| sink.entry(entry));
    runner::refuse_the_heartbeats_name(&settings.plan, &checks)?;
    let board = runner::board(&settings.plan, &checks);
    let (context, requests) = Shared::open(settings.plan, linked_hooks, board, recorder, runtime.handle().clone());
    if let Some(token) = &settings.prestop_token {
        let _ = context.0.prestop_token.set(token.clone()); // it is new: there is none yet
    }
    let _ = context.0.last_resort.set(process::end_after); // it is new: there is none yet
    context::install(&context);
    tell_the_start(&context, main, &settings, &hooks, &checks, health.as_ref());

    let (finish, finished) = oneshot::channel();
    let (installed, control_is_up) = mpsc::sync_channel(1);
    let control = Control {
        context: context.clone(),
        checks,
        requests,
        signals: main.signals,
        health,
        log,
        termination_log: settings.termination_log.clone(),
        installed,
        finish,
    };
    thread::Builder::new()
        .name("graceful-control".into())
        .spawn(move || control.run(&control_runtime))
        .map_err(system("the control thread could not be started"))?;
    match control_is_up.recv() {
        Ok(Ok(())) => Ok(Started::Running(Process { runtime, context, finished })),
        Ok(Err(error)) => Err(StartError::System { what: "the signal handlers could not be installed", error }),
        Err(_) => process::exit_now(exit_code::INTERNAL),
    }
}

/// The start-up lines: what is linked and where probes are answered.
fn tell_the_start(
    context: &Context,
    main: &Main,
    settings: &Settings,
    hooks: &[&hook::Hook],
    checks: &[&check::Check],
    health: Option<&TcpListener>,
) {
    let recorder = &context.0.recorder;
    let probes = match health.map(TcpListener::local_addr) {
        Some(Ok(address)) => format!("probes on http://{address}/readyz and /livez"),
        _ => "no health server".to_owned(),
    };
    recorder.note(Level::Info, format!("{}: {probes}; {} shutdown hooks linked", main.package, hooks.len()));
    for hook in hooks {
        recorder.note(Level::Info, format!("  {}", hook.title()));
    }
    for check in checks {
        recorder.note(Level::Info, format!("  {check} every {}", Pretty(check.period)));
    }
    for warning in settings.warnings.iter().cloned().chain(container::deaf_parent()) {
        recorder.note(Level::Warn, warning);
    }
}

impl Process {
    fn run<F, Fut>(self, user_main: F) -> u8
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future,
        Fut::Output: MainReturn,
    {
        let Self { runtime, context, finished } = self;
        // The runtime is driven to the very end: on a current-thread runtime, hooks only run while it is.
        let code = runtime.block_on(async {
            main_run::drive(context, user_main).await;
            finished.await
        });
        // Not dropped: that waits for blocking tasks, for ever if need be.
        runtime.shutdown_background();
        code.unwrap_or(exit_code::INTERNAL)
    }
}

struct Control {
    context: Context,
    checks: Vec<&'static check::Check>,
    requests: UnboundedReceiver<Request>,
    signals: &'static [Signal],
    health: Option<TcpListener>,
    log: Log,
    termination_log: Option<PathBuf>,
    installed: mpsc::SyncSender<io::Result<()>>,
    finish: oneshot::Sender<u8>,
}

impl Control {
    fn run(self, runtime: &Runtime) {
        // h2 speaks through `tracing`: a user's subscriber is not to be called from here.
        #[cfg(feature = "tonic")]
        let _silence = tracing::dispatcher::set_default(&tracing::Dispatch::none());
        // Without this thread nothing would ever end the process.
        if std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.lead()))).is_err() {
            let _ = writeln!(
                io::stderr(),
                "graceful: the control thread panicked; this is a fault in graceful, please report it"
            );
            process::exit_now(exit_code::INTERNAL);
        }
    }

    async fn lead(mut self) {
        let up = self.listen();
        let failed = up.is_err();
        let _ = self.installed.send(up);
        if failed {
            return;
        }
        let margin = self.context.0.plan.margin;
        #[cfg(all(feature = "systemd", unix))]
        let stopping = integrations::systemd::start(&self.context);
        let report = orchestrator::run(self.context, &self.checks, &mut self.requests).await;
        let code = report.exit_code();
        let told = write(&self.log, self.termination_log, &report);
        #[cfg(all(feature = "systemd", unix))]
        let told = async {
            let _ = tokio::join!(told, tokio::time::timeout(LOG_PATIENCE, stopping));
        };
        told.await;
        let _ = self.finish.send(code);
        // The main thread ends the process now. If it is stuck, it is ended without it; probes are answered till then.
        let patience = if report.forced_by.is_some() { Duration::ZERO } else { EXIT_PATIENCE.min(margin / 2) };
        tokio::time::sleep(patience).await;
        process::exit_now(code);
    }

    fn listen(&mut self) -> io::Result<()> {
        signals::forward(self.signals, &self.context.0.requests(), Request::Signal)?;
        #[cfg(feature = "metrics")]
        {
            let context = self.context.clone();
            let (tracker, runtime) = (context.0.tracker.clone(), context.0.runtime.clone());
            integrations::metrics::start(tracker, &runtime, move || {
                let checks = [On::Readiness, On::Liveness, On::Startup].map(|on| context.0.board.of(on)).concat();
                (context.phase(), checks)
            });
        }
        match self.health.take() {
            Some(listener) => server::start(listener, self.context.clone()).map(drop),
            None => Ok(()),
        }
    }
}

/// The summary into the log, and into the termination log: each from a thread of its own, as either may be stuck.
async fn write(log: &Log, termination_log: Option<PathBuf>, report: &Report) {
    let message = report.summary(TERMINATION_LOG_LIMIT);
    let file = tokio::task::spawn_blocking(move || log::termination_message(termination_log, &message));
    let _ = tokio::join!(log.summary(report.digest(), LOG_PATIENCE), tokio::time::timeout(LOG_PATIENCE, file));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_runtime_has_as_many_threads_as_it_is_told() {
        let config =
            RuntimeConfig { flavor: Flavor::MultiThread, worker_threads: Some(7), max_blocking_threads: Some(1) };
        let runtime = config.build().unwrap();
        assert_eq!(runtime.metrics().num_workers(), 7);
        // The second one runs when the first has given up on it.
        let (started, second) = mpsc::channel();
        let first = runtime.spawn_blocking(move || second.recv_timeout(Duration::from_millis(100)));
        let behind = runtime.spawn_blocking(move || started.send(()));
        assert!(runtime.block_on(first).unwrap().is_err(), "two threads for blocking code");
        assert!(runtime.block_on(behind).unwrap().is_err());
    }
}
