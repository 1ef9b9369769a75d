//! Supervised tasks that fail as the environment variable `TASK` selects.

use graceful::{Context, OnFailure};
use graceful_tests::stage::{env_var, print_line};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

static RUNS: AtomicU32 = AtomicU32::new(0);

async fn flaky() -> Result<(), &'static str> {
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    print_line(format!("run {run}"));
    match run {
        0 => Err("no broker"),
        1 => panic!("a bug"),
        _ => std::future::pending().await,
    }
}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    print_line("the hook has run");
}

#[graceful::main(grace = "300ms", drain = "500ms")]
async fn main(ctx: Context) {
    ctx.ready();
    let restart = OnFailure::Restart { first: Duration::from_millis(50), longest: Duration::from_secs(5) };
    let context = ctx.clone();
    match env_var("TASK").as_str() {
        "restart" => ctx.supervise("consumer", restart, flaky),
        "never again" => {
            let longest = Duration::from_secs(20);
            ctx.supervise("consumer", OnFailure::Restart { first: longest, longest }, || async { Err::<(), _>("gone") })
        }
        "fatal error" => ctx.supervise("lease", OnFailure::Shutdown, || async { Err::<(), _>("the lease is lost") }),
        "fatal panic" => ctx.supervise("lease", OnFailure::Shutdown, || async { panic!("a bug") as () }),
        "log" => ctx.supervise("cache", OnFailure::Log, || async { Err::<(), _>("no cache") }),
        "fails in the drain" => ctx.supervise("consumer", restart, move || {
            let ctx = context.clone();
            async move {
                ctx.draining().await;
                Err::<(), _>("no acknowledgement")
            }
        }),
        _ => ctx.supervise("consumer", restart, || async {}),
    };
    ctx.draining().await;
}
