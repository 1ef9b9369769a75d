//! A limit of threads, as `pids.max` of a container is one.

use graceful_tests::{App, Running, Signal};
use rustix::process::geteuid;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
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
        started += u32::from(ready);
        expect_complete_or_refused(app, ready, &log);
    }
    assert!((1..14).contains(&started), "{started} of 14 started");
}

/// The app has started and its shutdown is complete, or its start is refused with the reason.
fn expect_complete_or_refused(app: Running, started: bool, log: &TerminationLog) {
    if started {
        app.signal(Signal::TERM);
    }
    let ended = app.end();
    let written = log.text();
    if started {
        ended.with_code(0).prints_in_order(&["hook first", "hook archive after SIGTERM", "hook last"]);
        assert!(written.starts_with("shutdown after SIGTERM: everything finished in time"), "{written}");
    } else {
        let refused = "graceful: refused to start: the threads of the process could not be started: ";
        ended.with_code(78).logs_in_order(&[refused]);
        assert!(written.starts_with(refused), "{written}");
    }
}

/// The same with `pids.max` itself. Prints a note and passes if the machine allows no control group with that limit.
#[test]
fn a_process_in_a_control_group_has_the_threads_of_its_shutdown_or_is_refused() {
    let Some(group) = PidsGroup::new() else {
        return println!(
            "skipped: no control group with a limit of threads can be made (it takes root, or a delegated group)"
        );
    };
    let mut started = 0;
    for limit in 1..=14 {
        let log = TerminationLog::new(&format!("pids-{limit}"));
        group.set_limit(limit).unwrap();
        let app = group.app(env!("CARGO_BIN_EXE_hooks_app")).env("TOKIO_WORKER_THREADS", "2");
        let app = app.env("GRACEFUL_TERMINATION_LOG", &log.0).start();
        let ready = app.logs_unless_it_ends("serving: ready");
        started += u32::from(ready);
        expect_complete_or_refused(app, ready, &log);
    }
    assert!((1..14).contains(&started), "{started} of 14 started");
}

/// A control group with a limit of threads. Dropping it removes it: its processes have ended by then.
struct PidsGroup(PathBuf);

impl PidsGroup {
    /// A group in that of this process, or in one above, whichever has the controller for its groups.
    fn new() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let own = own.lines().filter_map(|line| match line.splitn(3, ':').collect::<Vec<_>>()[..] {
            [_, "", path] => Some(("/sys/fs/cgroup", path)), // version 2
            [_, "pids", path] => Some(("/sys/fs/cgroup/pids", path)),
            _ => None,
        });
        let places = own.flat_map(|(root, path)| {
            let own = PathBuf::from(format!("{root}{path}"));
            let places: Vec<_> = own.ancestors().filter(|place| place.starts_with(root)).map(Path::to_owned).collect();
            places
        });
        places.filter(|place| place.join("cgroup.procs").exists()).find_map(|place| Self::within(&place))
    }

    fn within(place: &Path) -> Option<Self> {
        let path = place.join(format!("graceful-tests-{}", std::process::id()));
        fs::create_dir(&path).ok()?;
        let group = Self(path);
        let is_joined = Command::new("sh").args(["-c", JOIN]).arg(&group.0).arg("true").output().ok()?.status.success();
        (is_joined && group.set_limit(1).is_ok()).then_some(group)
    }

    /// The limit counts the threads of all processes in the group. Without the controller there is no such file.
    fn set_limit(&self, limit: u32) -> io::Result<()> {
        fs::File::options().write(true).open(self.0.join("pids.max"))?.write_all(limit.to_string().as_bytes())
    }

    /// An app that starts in the group.
    fn app(&self, app: &str) -> App {
        App::new("sh").arg("-c").arg(JOIN).arg(&self.0).arg(app)
    }
}

/// Joins the control group, the first argument, and becomes the program, the second one.
const JOIN: &str = "echo $$ > \"$0/cgroup.procs\" && exec \"$1\"";

impl Drop for PidsGroup {
    fn drop(&mut self) {
        let removed = fs::remove_dir(&self.0);
        assert!(removed.is_ok() || thread::panicking(), "{} stays: {removed:?}", self.0.display());
    }
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
