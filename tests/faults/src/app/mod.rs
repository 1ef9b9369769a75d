//! The app: a server with hooks that commits the faults which its environment and the harness's commands select.

mod wire;
mod hooks;
mod service;

pub(crate) use wire::SOCKET;

use graceful::{Builder, Context, Flavor, Plan, Signal};
use graceful_faults::cell::Runtime;
use graceful_tests::stage::env_var;
use hyper::service::service_fn;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    convert::Infallible,
    future::Future,
    io,
    process::{Command, ExitCode},
};
use tokio::net::TcpListener;
use wire::{block_for_ever, gate, say};

const SIGNALS: &[Signal] = &[Signal::Terminate, Signal::Interrupt, Signal::Hangup];

/// Runs the app.
pub(crate) fn main() -> ExitCode {
    if let Ok(files) = env_var("FAULTS_FILES").parse() {
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum: Some(files) })
            .expect("limits can be lowered");
    }
    let runtime = Runtime::of_name(&env_var("FAULTS_RUNTIME")).expect("the harness names the runtime");
    let flavor = match runtime {
        Runtime::CurrentThread => Flavor::CurrentThread,
        Runtime::OneWorker | Runtime::Workers => Flavor::MultiThread,
    };
    let plan = Plan { init: !env_var("FAULTS_INIT").is_empty(), ..Plan::DEFAULT };
    let app =
        Builder::new().name("faults").signals(SIGNALS).plan(plan).flavor(flavor).worker_threads(runtime.threads());
    app.run(move |context| run(context, runtime.threads()))
}

async fn run(context: Context, threads: usize) -> Result<(), &'static str> {
    wire::connect();
    wire::obey(&context, threads);
    if !env_var("FAULTS_INIT").is_empty() {
        // The shell ends before its child, which PID 1 inherits.
        let shell = Command::new("sh").args(["-c", "sleep 0.01 &"]).status();
        say(if shell.is_ok_and(|status| status.success()) { "an orphan is left" } else { "no orphan is left" });
    }
    say("main runs");
    if env_var("FAULTS_MAIN") != "main-hangs" || env_var("FAULTS_MOMENT") == "start-up" {
        unless_main_goes_wrong(gate("serve").passed()).await?;
    } else {
        gate("serve").passed().await;
    }
    let served = async {
        let listener = TcpListener::bind("127.0.0.1:0").await.inspect_err(|_| say("no listener"))?;
        say(&format!("serving on {}", listener.local_addr()?));
        let service = service_fn(|request| async { Ok::<_, Infallible>(service::respond(request).await) });
        graceful::serve(listener, service).await
    };
    unless_main_goes_wrong(served).await?.map_err(|error: io::Error| {
        say(&format!("the server failed: {error}"));
        "the server failed"
    })
}

/// Awaits the future as a part of `main`, unless the harness commands the fault of `main`.
async fn unless_main_goes_wrong<F: Future>(future: F) -> Result<F::Output, &'static str> {
    let fault = async {
        gate("main").passed().await;
        say("main goes wrong");
        match env_var("FAULTS_MAIN").as_str() {
            "main-stuck" => block_for_ever(),
            "main-panics" => panic!("main panics"),
            "main-fails" => return "the database is gone",
            _ => std::future::pending().await,
        }
        "main is never released"
    };
    tokio::select! {
        output = future => match env_var("FAULTS_MAIN").as_str() {
            "main-hangs" => std::future::pending().await,
            _ => Ok(output),
        },
        error = fault => Err(error),
    }
}
