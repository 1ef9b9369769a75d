//! Starts a process: settings, runtimes and the control thread; runs `main`; returns the exit code.

use super::{
    control_thread::{ControlThread, LOG_TIMEOUT},
    main_run::{self, MainReturn},
    runtime_config::RuntimeConfig,
};
use crate::{
    cause::Signal,
    checks::{
        descriptor::{self as check, Check},
        runner,
    },
    context::{self, Context},
    error::StartError,
    health::listener,
    hooks::{
        call::HookThread,
        descriptor::{self as hook, Hook},
        registry,
    },
    integrations,
    os::{
        container, init,
        process::{self, LastResort},
    },
    report::{exit_code, log::Log, recorder::Recorder, termination_log, timeline::Level},
    settings::{self, Settings},
};
use graceful_plan::{Plan, duration::Pretty};
use std::{
    future::Future,
    io::{self, Write},
    mem::ManuallyDrop,
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    runtime::{self, Runtime},
    sync::oneshot,
};

/// The threads that every process has besides those of `main`'s runtime: the control thread and its one for blocking
/// calls, the log thread, the thread for synchronous hooks, and those of the last resort.
const OWN_THREADS: usize = 4 + LastResort::THREADS;

/// Everything that a process is started with.
#[derive(Debug, Clone)]
pub struct Main {
    /// The settings of the shutdown, before the environment's overrides.
    pub plan: Plan,
    /// The signals that begin a shutdown.
    pub signals: &'static [Signal],
    /// The runtime of `main`.
    pub runtime: RuntimeConfig,
    /// The package of `main`.
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
            let message = format!("graceful: refused to start: {error}\n");
            if termination_log::last_message_within(LOG_TIMEOUT, named.clone(), message.clone()).is_err() {
                termination_log::last_message(named, &message);
            }
            exit_code::CONFIG
        }
    }
}

enum Started {
    Running(Process),
    /// Nothing is left to run: the plan was printed, or this process was the init of a program that has ended.
    Over(u8),
}

/// A process whose control thread runs.
struct Process {
    /// Not dropped, also if the start fails: dropping it waits for blocking tasks, without a limit.
    runtime: ManuallyDrop<Runtime>,
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
        let plan = settings::printed(main.package, &settings.plan, main.signals, &hooks, &checks);
        let _ = writeln!(io::stdout(), "{plan}");
        return Ok(Started::Over(0));
    }
    if let Some(code) = init::run_if_asked(settings.plan.init)? {
        return Ok(Started::Over(code));
    }
    let system = |what| move |error| StartError::System { what, error };
    // Before any of them exists: tokio panics if a worker thread is refused.
    process::check_threads(main.runtime.workers() + OWN_THREADS)
        .map_err(system("the threads of the process could not be started"))?;
    // The control thread first, so that signals and probes are handled before the user's code runs.
    let control_runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(8) // new probes are noticed between the frames of others
        .max_blocking_threads(2) // systemd's socket may be stuck when the termination log is written
        .thread_keep_alive(Duration::MAX) // a thread that was started stays
        .build()
        .map_err(system("the control runtime could not be built"))?;
    let health = listener::bind(settings.plan.health)?;
    let log = Log::start(integrations::count).map_err(system("the log thread could not be started"))?;
    let runtime = main.runtime.build().map_err(system("the runtime of main could not be built"))?;
    let runtime = ManuallyDrop::new(runtime);

    let sink = log.clone();
    let recorder = Recorder::new(move |entry| sink.entry(entry));
    runner::refuse_the_heartbeats_name(&settings.plan, &checks)?;
    let board = runner::board(&settings.plan, &checks);
    let (context, requests) = Context::open(settings.plan, linked_hooks, board, recorder, runtime.handle().clone());
    if let Some(token) = &settings.prestop_token {
        let _ = context.0.prestop_token.set(token.clone()); // cannot fail: the context is new
    }
    let last_resort = LastResort::start(settings.termination_log.clone(), exit_code::CUT)
        .map_err(system("the threads of the last resort could not be started"))?;
    let hook_thread = HookThread::start(runtime.handle().clone())
        .map_err(system("the thread for synchronous hooks could not be started"))?;
    // Cannot fail: the context is new.
    let _ = context.0.last_resort.set(last_resort);
    let _ = context.0.hook_thread.set(Arc::new(hook_thread));
    context::install(&context);
    log_the_start(&context, main, &settings, &hooks, &checks, health.as_ref());

    let (finish, finished) = oneshot::channel();
    let (installed, control_is_up) = mpsc::sync_channel(1);
    let control = ControlThread {
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

/// Logs the start: the hooks and checks that are linked, the address of the probes, and warnings.
fn log_the_start(
    context: &Context,
    main: &Main,
    settings: &Settings,
    hooks: &[&Hook],
    checks: &[&Check],
    health: Option<&TcpListener>,
) {
    let recorder = &context.0.recorder;
    let probes = match health.map(TcpListener::local_addr) {
        Some(Ok(address)) => format!("probes on http://{address}/readyz and /livez"),
        _ => "no health server".to_owned(),
    };
    let plural = if hooks.len() == 1 { "" } else { "s" };
    recorder.note(Level::Info, format!("{}: {probes}; {} shutdown hook{plural} linked", main.package, hooks.len()));
    for hook in hooks {
        recorder.note(Level::Info, format!("  {}", hook.title()));
    }
    for check in checks {
        recorder.note(Level::Info, format!("  {check} every {}", Pretty(check.period)));
    }
    for warning in settings.warnings.iter().cloned().chain(container::shell_as_pid_1()) {
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
        // Blocks to the very end, because tasks of a current-thread runtime, hooks included, run only inside
        // `block_on`.
        let code = runtime.block_on(async {
            main_run::drive(context, user_main).await;
            finished.await
        });
        ManuallyDrop::into_inner(runtime).shutdown_background();
        code.unwrap_or(exit_code::INTERNAL)
    }
}
