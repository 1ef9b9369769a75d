//! Signals to a process and to its process group.

use std::time::Duration;

/// A signal that a rehearsal can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Signal {
    #[value(name = "SIGTERM", aliases = ["TERM", "term", "sigterm"])]
    Term,
    #[value(name = "SIGINT", aliases = ["INT", "int", "sigint"])]
    Int,
    #[value(name = "SIGQUIT", aliases = ["QUIT", "quit", "sigquit"])]
    Quit,
    #[value(name = "SIGHUP", aliases = ["HUP", "hup", "sighup"])]
    Hup,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Hup => "SIGHUP",
        }
    }
}

/// The pause between two looks at a process group that is about to end.
pub(crate) const POLL: Duration = Duration::from_millis(10);

#[cfg(unix)]
mod imp {
    use super::Signal;
    use rustix::process::{self, Pid};

    fn number(signal: Signal) -> process::Signal {
        match signal {
            Signal::Term => process::Signal::TERM,
            Signal::Int => process::Signal::INT,
            Signal::Quit => process::Signal::QUIT,
            Signal::Hup => process::Signal::HUP,
        }
    }

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }

    /// Sends the signal to the process alone, as the kubelet does to the first process of a container.
    pub(crate) fn signal(id: u32, signal: Signal) -> std::io::Result<()> {
        let pid = pid(id).ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(process::kill_process(pid, number(signal))?)
    }

    /// Sends SIGKILL to every process of the group.
    pub(crate) fn kill_group(id: u32) {
        if let Some(pid) = pid(id) {
            let _ = process::kill_process_group(pid, process::Signal::KILL);
        }
    }

    /// Whether the group has a process.
    pub(crate) fn group_exists(id: u32) -> bool {
        pid(id).is_some_and(|pid| process::test_kill_process_group(pid).is_ok())
    }
}

#[cfg(not(unix))]
mod imp {
    use super::Signal;

    pub(crate) fn signal(_: u32, _: Signal) -> std::io::Result<()> {
        Err(std::io::Error::other("signals need Unix"))
    }

    pub(crate) fn kill_group(_: u32) {}

    pub(crate) fn group_exists(_: u32) -> bool {
        false
    }
}

pub(crate) use imp::{group_exists, kill_group, signal};
