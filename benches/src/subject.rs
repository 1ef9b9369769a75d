//! The process under test: the benchmark's own executable, started with arguments.

use crate::{Result, now};
use rustix::process::{Pid, Signal};
use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// Reports a named number from the subject to the benchmark.
pub fn report(name: &str, number: u64) {
    // Fails only if the benchmark exited, which then needs no number.
    let _ = writeln!(std::io::stdout().lock(), "{name} {number}");
}

/// A running subject. Dropping it kills the process.
#[derive(Debug)]
pub struct Subject {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// The time just before the process was spawned.
    pub started: u64,
}

impl Subject {
    /// Starts a command as the subject.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let stderr = if std::env::var_os("BENCH_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
        command.stdout(Stdio::piped()).stderr(stderr).stdin(Stdio::null());
        let started = now();
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines(), started })
    }

    /// Waits until the subject reports the port that it listens on.
    ///
    /// # Errors
    /// The subject ends without reporting a port.
    pub fn address(&mut self) -> Result<SocketAddr> {
        let port = u16::try_from(self.wait_for("port")?)?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Waits until the subject reports the number with this name.
    ///
    /// # Errors
    /// The subject ends without reporting the number.
    pub fn wait_for(&mut self, name: &str) -> Result<u64> {
        for line in &mut self.lines {
            match line?.split_once(' ') {
                Some((reported, number)) if reported == name => return Ok(number.parse()?),
                _ => {}
            }
        }
        Err(format!("the subject ended without reporting {name}; BENCH_LOG=1 shows its log").into())
    }

    /// Sends SIGTERM and returns the time just before.
    ///
    /// # Errors
    /// The process was reaped.
    pub fn terminate(&self) -> Result<u64> {
        let sent = now();
        rustix::process::kill_process(self.pid(), Signal::TERM)?;
        Ok(sent)
    }

    /// Waits until the process exits and returns its status and the time.
    ///
    /// # Errors
    /// Waiting for the process fails.
    pub fn wait(&mut self) -> Result<(ExitStatus, u64)> {
        let status = self.child.wait()?;
        Ok((status, now()))
    }

    /// The processor time of all threads of the process so far, in nanoseconds.
    ///
    /// # Errors
    /// The process exited.
    pub fn processor_time(&self) -> Result<u64> {
        let mut total = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(total)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Fails if the process already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that starts this executable with arguments.
///
/// # Errors
/// The path of the executable is unknown.
pub fn itself(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// A command that starts another executable of the same build.
///
/// # Errors
/// The executable is not built.
pub fn sibling(name: &str) -> Result<Command> {
    let path = std::env::current_exe()?.with_file_name(name);
    match path.exists() {
        true => Ok(Command::new(path)),
        false => Err(format!("{name} is not built: cargo build --release -p graceful-benches").into()),
    }
}

/// A port that is currently free.
///
/// # Errors
/// No port is free.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
