//! A tenth of a CPU: by a control group where this user may make one, or else by SIGSTOP and SIGCONT in turn.

use crate::process::gets_stopped;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Where control groups of version 2 are mounted.
const GROUPS: &str = "/sys/fs/cgroup";
/// 10 ms of 100 ms.
const LIMIT: &str = "10000 100000";

/// Limits a process. Dropping it ends the limit.
pub(crate) enum Throttle {
    Group(PathBuf),
    Stops { ended: Arc<AtomicBool>, thread: Option<JoinHandle<()>> },
}

impl Throttle {
    /// Limits this process from now on.
    pub(crate) fn start(pid: Pid) -> io::Result<Self> {
        in_group(Path::new(GROUPS), pid).map_or_else(|| by_stops(pid), Ok)
    }

    /// Whether the limit of this process is seen to be in force.
    pub(crate) fn is_seen(&self, pid: Pid) -> bool {
        match self {
            Self::Group(group) => {
                let groups = fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_pid())).unwrap_or_default();
                let limit = fs::read_to_string(group.join("cpu.max")).unwrap_or_default();
                limit.trim() == LIMIT && groups.lines().any(|line| line.ends_with(&name(pid)))
            }
            Self::Stops { .. } => gets_stopped(pid),
        }
    }
}

fn name(pid: Pid) -> String {
    format!("graceful-faults-{}", pid.as_raw_pid())
}

/// Moves the process into a new group with the limit; `None` if there are no such groups, or this user may not.
fn in_group(parent: &Path, pid: Pid) -> Option<Throttle> {
    if !parent.join("cgroup.controllers").exists() {
        return None; // a new folder is not a control group there
    }
    let group = parent.join(name(pid));
    fs::create_dir(&group).ok()?;
    // The files are the kernel's: without the controller, the limit does not exist.
    let open = |file: &str| OpenOptions::new().write(true).open(group.join(file));
    let set = |file: &str, value: &str| open(file)?.write_all(value.as_bytes());
    let limited = set("cpu.max", LIMIT).and_then(|()| set("cgroup.procs", &pid.as_raw_pid().to_string()));
    let throttle = Throttle::Group(group);
    limited.ok().map(|()| throttle)
}

/// Lets the process run for 10 of 100 ms until it has ended.
fn by_stops(pid: Pid) -> io::Result<Throttle> {
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let thread = thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            for (signal, millis) in [(Signal::STOP, 90), (Signal::CONT, 10)] {
                if pidfd_send_signal(&process, signal).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(millis));
            }
        }
    });
    Ok(Throttle::Stops { ended, thread: Some(thread) })
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
                eprintln!("the control group {} cannot be removed: remove it by `rmdir`", group.display());
            }
            Self::Stops { ended, thread } => {
                ended.store(true, Ordering::Relaxed);
                thread.take().map(JoinHandle::join);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        process::{Child, Command},
        time::Instant,
    };

    /// A process that uses a CPU.
    struct Busy(Child);

    impl Busy {
        fn start() -> Self {
            Self(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("sh starts"))
        }

        fn pid(&self) -> Pid {
            Pid::from_child(&self.0)
        }

        /// The CPU time of the process, from the first field of its `schedstat` file.
        fn used(&self) -> Duration {
            let text = fs::read_to_string(format!("/proc/{}/schedstat", self.0.id())).expect("the process runs");
            let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("it begins with a time");
            Duration::from_nanos(nanos)
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_folder_that_is_no_control_group_limits_nothing_and_keeps_nothing() {
        let busy = Busy::start();
        let parent = std::env::temp_dir().join(format!("graceful-faults-groups-{}", std::process::id()));
        fs::create_dir(&parent).expect("the folder is new");
        assert!(in_group(&parent, busy.pid()).is_none());
        fs::write(parent.join("cgroup.controllers"), "").expect("the folder is writable");
        assert!(in_group(&parent, busy.pid()).is_none());
        let left = fs::read_dir(&parent).expect("the folder exists").count();
        fs::remove_dir_all(&parent).expect("the folder can be removed");
        assert_eq!(left, 1, "only cgroup.controllers is left");
    }

    #[test]
    fn a_throttled_process_uses_a_small_part_of_a_cpu() {
        let busy = Busy::start();
        let throttle = Throttle::start(busy.pid()).expect("the process can be limited");
        assert!(throttle.is_seen(busy.pid()));
        let (begun, used) = (Instant::now(), busy.used());
        thread::sleep(Duration::from_secs(1));
        let used = busy.used() - used;
        assert!(used < begun.elapsed() / 2, "{used:?} of a second");
        drop(throttle);
    }
}
