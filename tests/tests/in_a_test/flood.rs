//! Clients that connect as fast as the server accepts while the drain empties the backlog.

use crate::PLAN;
use graceful::{Builder, Context, HookOutcome, Listener, Plan};
use graceful_tests::{PATIENCE, memory::Memory};
use http_body_util::Empty;
use hyper::{Response, body::Bytes, service::service_fn};
use std::{
    convert::Infallible,
    io,
    sync::mpsc,
    task::{self, Poll},
    thread,
    time::Duration,
};
use tokio::runtime;

/// Nobody connects before the drain; then a connection always waits in the backlog.
struct Flood;

impl Listener for Flood {
    type Stream = Memory;

    fn poll_accept(&mut self, _: &mut task::Context<'_>) -> Poll<io::Result<Memory>> {
        Poll::Pending
    }

    fn accept_nonblocking(&mut self) -> io::Result<Memory> {
        Ok(Memory::closed())
    }

    fn name(&self) -> String {
        "flood".to_owned()
    }
}

#[test]
fn the_drain_has_an_end_though_the_backlog_never_is_empty() {
    let main = |ctx: Context| async move {
        ctx.on_shutdown(1, "flush", || async {});
        ctx.shutdown("enough");
        let respond = |_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) };
        graceful::serve(Flood, service_fn(respond)).with_context(ctx).await
    };
    let plan = Plan { grace: Duration::ZERO, drain: Duration::from_millis(200), ..PLAN };
    let (ended, report) = mpsc::channel();
    // In a thread that the test does not wait for: without an end, the server would never return to the runtime.
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(Builder::for_tests().plan(plan).run_here(main)).unwrap();
        ended.send(report).unwrap();
    });
    let report = report.recv_timeout(PATIENCE).expect("the shutdown ends");
    let hook = report.hooks().find(|hook| hook.hook.name == "flush").unwrap();
    assert!(matches!(hook.outcome, HookOutcome::Finished), "{report}");
    // The server was cut at the deadline of the drain.
    assert_eq!(report.exit_code(), 3, "{report}");
}
