//! A `main` without a server that ends, or does not end, as the environment variable `MAIN` selects.

use graceful::Context;
use graceful_tests::stage::{env_var, print_line, read_commands};
use std::{
    process::ExitCode,
    sync::Arc,
    task::{self, Wake, Waker},
    thread,
};

#[derive(Debug)]
#[allow(dead_code)] // read by `Debug` only
struct NoDatabase {
    host: &'static str,
}

/// Its drop never returns.
struct StubbornPool;

impl Drop for StubbornPool {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// A waker that blocks the thread that wakes it.
struct BlocksItsWaker;

impl Wake for BlocksItsWaker {
    fn wake(self: Arc<Self>) {
        let thread = thread::current();
        print_line(format!("blocks {}", thread.name().unwrap_or("a thread without a name")));
        loop {
            thread::park();
        }
    }
}

#[graceful::shutdown_hook(order = 1)]
async fn last_words() {
    print_line("the hook has run");
}

#[graceful::main(grace = "200ms", drain = "500ms")]
async fn main(ctx: Context) -> Result<ExitCode, NoDatabase> {
    let directions = env_var("MAIN");
    let gate = read_commands(&ctx, 1);
    if directions.starts_with("connect") {
        print_line("connecting");
        ctx.terminating().await;
        return Ok(ExitCode::SUCCESS);
    }
    ctx.ready();
    match directions.as_str() {
        "return" => {}
        "fail" => return Err(NoDatabase { host: "db-7" }),
        "code" => return Ok(ExitCode::from(7)),
        "panic" => panic!("main panics"),
        "shutdown" => {
            ctx.shutdown("the leader lease is lost");
            ctx.draining().await;
        }
        "hang" => std::future::pending().await,
        "block" => loop {
            thread::park();
        },
        "fail in the drain" => {
            ctx.draining().await;
            return Err(NoDatabase { host: "db-7" });
        }
        // `main` ends in the drain, and the drain waits for the task.
        "task" => {
            ctx.spawn("uploader", async move {
                gate.passed().await;
                print_line("the task is done");
            });
            ctx.draining().await;
        }
        "stuck task" => {
            ctx.spawn("uploader", std::future::pending::<()>());
            ctx.draining().await;
        }
        "many tasks" => {
            for number in 0..300_000 {
                drop(ctx.spawn(format!("task {number}"), std::future::pending::<()>()));
            }
            print_line("the tasks are spawned");
            ctx.draining().await;
        }
        "panicking task" => {
            ctx.spawn("uploader", async { panic!("the bucket is gone") });
            ctx.draining().await;
        }
        "task that panics in the drain" => {
            let drain = ctx.draining();
            ctx.spawn("uploader", async move {
                drain.await;
                panic!("the bucket is gone")
            });
            ctx.draining().await;
        }
        "blocking waker" | "blocking waker and fail" => {
            gate.passed().await; // every phase wakes the waiters; this waker must block in the shutdown only
            let waker = Waker::from(Arc::new(BlocksItsWaker));
            let mut terminating = Box::pin(ctx.terminating());
            let _ = terminating.as_mut().poll(&mut task::Context::from_waker(&waker));
            print_line("waits for the shutdown");
            if directions.ends_with("fail") {
                std::mem::forget(terminating); // still waits when `main` has ended
                return Err(NoDatabase { host: "db-7" });
            }
            std::future::pending().await
        }
        // The first hook hangs, and the second never runs, so the process must not drop the captured value.
        "stubborn pool" => {
            ctx.on_shutdown(2, "hangs", std::future::pending::<()>);
            let pool = StubbornPool;
            ctx.on_shutdown(3, "close pool", move || async move { drop(pool) });
            ctx.draining().await;
        }
        "flood" => {
            for _ in 0..2 {
                let ctx = ctx.clone();
                thread::spawn(move || {
                    loop {
                        ctx.ready();
                        ctx.shutdown("again");
                    }
                });
            }
            std::future::pending().await
        }
        "tracked" => {
            let tracked = ctx.track(async move {
                gate.passed().await;
                print_line("the future is done");
            });
            tokio::spawn(tracked);
            ctx.draining().await;
        }
        "stuck tracked" => {
            tokio::spawn(ctx.track(std::future::pending::<()>()));
            ctx.draining().await;
        }
        _ => ctx.draining().await,
    }
    Ok(ExitCode::SUCCESS)
}
