//! A limit of threads, as `pids.max` of a container is one.

use graceful_tests::{App, Signal};
use rustix::process::geteuid;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// An app with this many threads, the main thread included, as a user of its own, because the limit counts the threads of
/// a user. `test` is below 2 and the limit below 32.
fn with_threads(limit: u32, test: u32, app: &str, termination_log: &Path) -> App {
    App::new("prlimit")
        .arg(format!("--nproc={limit}"))
        .arg(app)
        .user(100_000 + std::process::id() % 30_000 * 64 + test * 32 + limit)
        .env("TOKIO_WORKER_THREADS", "2")
        .env("GRACEFUL_TERMINATION_LOG", termination_log)
}

/// A file that every user may write to. Dropping it removes it.
struct TerminationLog(PathBuf);

impl TerminationLog {
    fn new(name: &str) -> Self {
        let name = format!("termination-{name}-{}", std::process::id());
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&log, "").unwrap();
        fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
        Self(log)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for TerminationLog {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Prints a note and passes if the tests don't run as root.
#[test]
fn a_process_has_the_threads_of_its_shutdown_from_the_start_or_is_refused() {
    if !geteuid().is_root() {
        return println!("skipped: only root can start a process as another user");
    }
    let mut started = 0;
    for limit in 1..=14 {
        let log = TerminationLog::new(&format!("threads-{limit}"));
        let app = with_threads(limit, 0, env!("CARGO_BIN_EXE_hooks_app"), &log.0).start();
        let ready = app.logs_unless_it_ends("serving: ready");
        if ready {
            started += 1;
            app.signal(Signal::TERM);
        }
        let ended = app.end();
        let written = log.text();
        if ready {
            ended.with_code(0).prints_in_order(&["hook first", "hook archive after SIGTERM", "hook last"]);
            assert!(written.starts_with("shutdown after SIGTERM: everything finished in time"), "{written}");
        } else {
            let refused = "graceful: refused to start: the threads of the process could not be started: ";
            ended.with_code(78).logs_in_order(&[refused]);
            assert!(written.starts_with(refused), "{written}");
        }
    }
    assert!((1..14).contains(&started), "{started} of 14 started");
}

/// Prints a note and passes if the tests don't run as root.
#[test]
fn the_last_resort_reports_without_a_further_thread() {
    if !geteuid().is_root() {
        return println!("skipped: only root can start a process as another user");
    }
    // The lowest limit with which the app starts leaves no thread for later.
    for limit in 1..=20 {
        let log = TerminationLog::new(&format!("last-resort-{limit}"));
        let app = with_threads(limit, 1, env!("CARGO_BIN_EXE_main_end"), &log.0).env("MAIN", "blocking waker and fail");
        let app = app.env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2s").env("GRACEFUL_MARGIN", "1s");
        let mut app = app.env("TOKIO_WORKER_THREADS", "1").start();
        if !app.logs_unless_it_ends("serving: ready") {
            app.end();
            continue;
        }
        app.send_line("release");
        app.prints("blocks graceful-control");
        app.end().with_code(1).logs_in_order(&["Error: NoDatabase", "exit code 1", "ended by the last resort"]);
        assert!(log.text().contains("ended by the last resort"), "{}", log.text());
        return;
    }
    panic!("the app has not started");
}

#[test]
fn synchronous_hooks_run_though_the_blocking_pool_is_full() {
    let app = App::new(env!("CARGO_BIN_EXE_hooks_app")).env("BLOCKING_POOL", "full").start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0).prints_in_order(&["hook first", "hook archive after SIGTERM", "hook last"]);
}
