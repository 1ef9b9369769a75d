//! A minimal init: as PID 1 it runs the program as a child, forwards signals to it, and reaps orphans.
//!
//! Needs the feature `init`, and `init = true` on `main`. A program that starts no processes works as PID 1 without it.

use crate::error::StartError;

/// Acts as the init if this process is PID 1 and the plan asks for one, and returns the child's exit code when the
/// child has ended; `None` if this process is not the init.
///
/// Must be called before any thread starts, so that no other thread receives the signals.
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

    /// The signals that are forwarded to the child: all but those about this process itself.
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
        // Handlers first: a signal that arrives before the child exists is forwarded once it does.
        let mut signals = Signals::new(FORWARDED.into_iter().chain([consts::SIGCHLD]))
            .map_err(system("the init could not install its signal handlers"))?;
        let child = start().map_err(system("the init could not start the program"))?;
        let child = Pid::from_child(&child);
        loop {
            for signal in signals.wait() {
                match Signal::from_named_raw(signal) {
                    Some(Signal::CHILD) => {}
                    // Fails if the child has just ended, which needs no signal.
                    Some(signal) => drop(kill_process(child, signal)),
                    None => {}
                }
            }
            if let Some(code) = reap(child) {
                return Ok(code);
            }
        }
    }

    /// Starts the program in a process group of its own: a terminal's Ctrl-C reaches it through this process only.
    fn start() -> io::Result<Child> {
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_default();
        let program = std::env::current_exe().unwrap_or_else(|_| name.clone().into());
        Command::new(program).arg0(name).args(arguments).process_group(0).spawn()
    }

    /// Reaps every process that has ended; returns the exit code if the child is one of them.
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
