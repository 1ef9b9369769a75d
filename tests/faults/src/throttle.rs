//! A tenth of a CPU: by a control group where this user may make one, or else by SIGSTOP and SIGCONT in turn.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The parent groups of version 2 and of version 1, each with its limit: 10 ms of 100 ms.
const GROUPS: [(&str, &str, &str); 2] =
    [("/sys/fs/cgroup", "cpu.max", "10000 100000"), ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "10000")];

/// Limits a process. Dropping it ends the limit.
pub(crate) enum Throttle {
    Group(PathBuf),
    Stops { ended: Arc<AtomicBool>, thread: Option<JoinHandle<()>> },
}

impl Throttle {
    /// Limits this process from now on.
    pub(crate) fn start(pid: Pid) -> Self {
        GROUPS.iter().find_map(|group| in_group(pid, *group)).unwrap_or_else(|| by_stops(pid))
    }
}

/// Moves the process into a new group with the limit; `None` if this user may not.
fn in_group(pid: Pid, (parent, limit, value): (&str, &str, &str)) -> Option<Throttle> {
    let pid = pid.as_raw_pid();
    let group = Path::new(parent).join(format!("graceful-faults-{pid}"));
    fs::create_dir(&group).ok()?;
    let set = |file: &str, value: &str| fs::write(group.join(file), value);
    // A file that does not exist cannot be created in a control group.
    if set(limit, value).and_then(|()| set("cgroup.procs", &pid.to_string())).is_err() {
        let _ = fs::remove_dir(&group);
        return None;
    }
    Some(Throttle::Group(group))
}

fn by_stops(pid: Pid) -> Throttle {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let thread = thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            for (signal, millis) in [(Signal::STOP, 90), (Signal::CONT, 10)] {
                let _ = kill_process(pid, signal);
                thread::sleep(Duration::from_millis(millis));
            }
        }
    });
    Throttle::Stops { ended, thread: Some(thread) }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        match self {
            Self::Group(group) => {
                // A group is busy until its processes have been reaped.
                for _ in 0..100 {
                    if fs::remove_dir(&*group).is_ok() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(10));
                }
            }
            Self::Stops { ended, thread } => {
                ended.store(true, Ordering::Relaxed);
                thread.take().map(JoinHandle::join);
            }
        }
    }
}
