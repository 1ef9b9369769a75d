//! A limit of threads, as `pids.max` of a container is one.

use graceful_tests::{App, Signal};
use rustix::process::geteuid;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The hooks app with this many threads, the main thread included, as a user of its own, because the limit counts the
/// threads of a user.
fn with_threads(limit: u32, termination_log: &Path) -> App {
    App::new("prlimit")
        .arg(format!("--nproc={limit}"))
        .arg(env!("CARGO_BIN_EXE_hooks_app"))
        .user(100_000 + std::process::id() * 16 % 1_000_000 + limit)
        .env("TOKIO_WORKER_THREADS", "2")
        .env("GRACEFUL_TERMINATION_LOG", termination_log)
}

/// Prints a note and passes if the tests don't run as root.
#[test]
fn a_process_has_the_threads_of_its_shutdown_from_the_start_or_is_refused() {
    if !geteuid().is_root() {
        return println!("skipped: only root can start a process as another user");
    }
    let mut started = 0;
    for limit in 1..=10 {
        let name = format!("termination-threads-{}-{limit}", std::process::id());
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&log, "").unwrap();
        fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
        let app = with_threads(limit, &log).start();
        let ready = app.logs_unless_it_ends("serving: ready");
        if ready {
            started += 1;
            app.signal(Signal::TERM);
        }
        let ended = app.end();
        let written = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        if ready {
            ended.with_code(0).prints_in_order(&["hook first", "hook archive after SIGTERM", "hook last"]);
            assert!(written.starts_with("shutdown after SIGTERM: everything finished in time"), "{written}");
        } else {
            let refused = "graceful: refused to start: the threads of the process could not be started: ";
            ended.with_code(78).logs_in_order(&[refused]);
            assert!(written.starts_with(refused), "{written}");
        }
    }
    assert!((1..10).contains(&started), "{started} of 10 started");
}
