//! A tiny init: as PID 1, the program runs as a child, its signals are forwarded, and orphans are reaped.
//!
//! Feature `init`, and `init = true` on main. A program that starts no processes needs none: it works as PID 1 itself.

use crate::error::StartError;

/// If this process is PID 1 and the plan asks for an init, is it: returns the child's exit code when that has ended.
///
/// Must be called before any thread starts: the child is a fresh process, but signals must not go to a thread that
/// knows nothing of them.
///
/// # Errors
/// The child cannot be started, or this build has no init.
pub(crate) fn run_if_asked(asked: bool) -> Result<Option<u8>, StartError> {
    match asked && std::process::id() == 1 {
        false => Ok(None),
        true => platform::run().map(Some),
    }
}

#[cfg(not(all(unix, feature = "init")))]
mod platform {
    use crate::error::StartError;

    pub(super) fn run() -> Result<u8, StartError> {
        let error = std::io::Error::other("`init = true` needs the feature `init` of graceful-rt, and Unix");
        Err(StartError::System { what: "there is no init in this build", error })
    }
}

#[cfg(all(unix, feature = "init"))]
mod platform {
    use crate::error::StartError;
    use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
    use signal_hook::{consts, iterator::Signals};
    use std::{
        io,
        os::unix::process::CommandExt,
        process::{Child, Command},
    };

    /// What is passed on to the child: everything that can be, and that does not speak of this process itself.
    const FORWARDED: [i32; 8] = [
        consts::SIGTERM,
        consts::SIGINT,
        consts::SIGHUP,
        consts::SIGQUIT,
        consts::SIGUSR1,
        consts::SIGUSR2,
        consts::SIGWINCH,
        consts::SIGCONT,
    ];

    pub(super) fn run() -> Result<u8, StartError> {
        let system = |what| move |error| StartError::System { what, error };
        // Handlers first: a signal that comes before the child exists is forwarded once it does.
        let mut signals = Signals::new(FORWARDED.into_iter().chain([consts::SIGCHLD]))
            .map_err(system("the init could not install its signal handlers"))?;
        let child = start().map_err(system("the init could not start the program"))?;
        let child = Pid::from_child(&child);
        loop {
            for signal in signals.wait() {
                match Signal::from_named_raw(signal) {
                    Some(Signal::CHILD) => {}
                    // A child that has just ended needs no signal.
                    Some(signal) => drop(kill_process(child, signal)),
                    None => {}
                }
            }
            if let Some(code) = reap(child) {
                return Ok(code);
            }
        }
    }

    /// The program itself, in a process group of its own: a terminal's Ctrl-C comes through this process, once.
    fn start() -> io::Result<Child> {
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_default();
        let program = std::env::current_exe().unwrap_or_else(|_| name.clone().into());
        Command::new(program).arg0(name).args(arguments).process_group(0).spawn()
    }

    /// Reaps everything that has ended; the exit code if the child is among it.
    fn reap(child: Pid) -> Option<u8> {
        let mut code = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == child {
                code = Some(exit_code(status));
            }
        }
        code
    }

    fn exit_code(status: WaitStatus) -> u8 {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => code as u8,
            (None, Some(signal)) => 128 + signal as u8,
            (None, None) => 1,
        }
    }
}
