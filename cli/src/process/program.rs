//! A started program in a process group of its own, which ends with this value.

use super::{
    group::{self, POLL, Signal},
    output::{Output, Part},
};
use crate::exit_code::{ExitCode, Failure};
use std::{
    ffi::OsString,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// How much of standard error is kept for messages.
const KEPT_ERRORS: usize = 16 * 1024;
/// The most lines of a program in a message.
const SHOWN: usize = 10;

/// A running program. Dropping it kills its process group.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// The id of the process and of its group.
    id: u32,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    status: Option<ExitStatus>,
}

impl Program {
    /// Starts the program with these additional variables.
    ///
    /// # Errors
    /// The program does not exist or is not executable.
    pub(crate) fn start(command: &[OsString], variables: &[(&str, &str)], stdout: Part) -> Result<Self, Failure> {
        let [program, arguments @ ..] = command else {
            return Err(Failure::new(ExitCode::Usage, "the command is empty"));
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(ExitCode::Start, format!("cannot start {}: {error}", program.display()))
        };
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let (id, out, err) = (child.id(), child.stdout.take(), child.stderr.take());
        let (Some(id), Some(out), Some(err)) = (id, out, err) else {
            return Err(failed(&"no process id or no pipes"));
        };
        let (stdout, stderr) = (Output::of(out, stdout), Output::of(err, Part::Last(KEPT_ERRORS)));
        Ok(Self { child, id, stdout, stderr, status: None })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Sends the signal to the process.
    pub(crate) fn signal(&self, signal: Signal) -> std::io::Result<()> {
        group::signal(self.id, signal)
    }

    /// Waits for the exit.
    ///
    /// # Cancel safety
    /// The status is not lost: the next call returns it.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus, Failure> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.child.wait().await;
        let status =
            status.map_err(|error| Failure::new(ExitCode::Io, format!("cannot wait for the program: {error}")))?;
        self.status = Some(status);
        Ok(status)
    }

    /// Sends SIGKILL to the process group.
    pub(crate) fn kill(&self) {
        group::kill_group(self.id);
    }

    /// Whether other processes of the group outlive the program by `patience`. They are killed.
    pub(crate) async fn children_left(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while group::group_exists(self.id) {
            if Instant::now() >= end {
                self.kill();
                return true;
            }
            sleep(POLL).await;
        }
        false
    }

    /// Ends the program: SIGTERM, and after `patience` SIGKILL to its group.
    pub(crate) async fn end(mut self, patience: Duration) {
        if self.status.is_none() && self.signal(Signal::Term).is_ok() {
            let _ = timeout(patience, self.wait()).await;
        }
        self.kill();
        let _ = timeout(Duration::from_secs(5), self.wait()).await;
    }

    /// The last lines of standard error, or else of standard output, as the end of a message.
    pub(crate) fn last_lines(&self) -> String {
        let lines = |output: &Output| Some(output.last_lines(SHOWN)).filter(|lines| !lines.is_empty());
        match lines(&self.stderr).or_else(|| lines(&self.stdout)).unwrap_or_default().as_slice() {
            [] => String::new(),
            [line] => format!("; its last line is `{}`", line.trim()),
            lines => format!("; its last lines are\n  | {}", lines.join("\n  | ")),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
        }
    }
}
