//! The process under test: a benchmark's own program, started again with arguments.

use crate::{
    Result, now,
    server::{self, Held, Kind},
};
use graceful::Flavor;
use rustix::process::{Pid, Signal};
use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// Tells the benchmark a number under a name.
pub fn say(name: &str, number: u64) {
    // The benchmark may be gone; then nobody needs it.
    let _ = writeln!(std::io::stdout().lock(), "{name} {number}");
}

/// Runs as a server if this process was started as one, `serve KIND FLAVOR`; says whether it was.
///
/// # Errors
/// Those of the server.
pub fn is_server(held: Held) -> Result<bool> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [what, kind, flavor] = &arguments[..] else { return Ok(false) };
    if what != "serve" {
        return Ok(false);
    }
    let flavor = if flavor == "current" { Flavor::CurrentThread } else { Flavor::MultiThread };
    server::run(Kind::named(kind).ok_or("no such kind of server")?, flavor, held)?;
    Ok(true)
}

/// A running subject. Killed when it is dropped.
#[derive(Debug)]
pub struct Subject {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// When it was about to be started.
    pub started: u64,
}

impl Subject {
    /// Starts a program.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let stderr = if std::env::var_os("BENCH_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
        command.stdout(Stdio::piped()).stderr(stderr).stdin(Stdio::null());
        let started = now();
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines(), started })
    }

    /// Starts this program again as a server.
    ///
    /// # Errors
    /// It cannot be started, or says no port.
    pub fn server(kind: Kind, flavor: &str) -> Result<(Self, SocketAddr)> {
        let mut subject = Self::start(&mut itself(&["serve", kind.name(), flavor])?)?;
        let address = subject.address()?;
        Ok((subject, address))
    }

    /// Waits for the port that it says it listens on.
    ///
    /// # Errors
    /// It ends without saying one.
    pub fn address(&mut self) -> Result<SocketAddr> {
        let port = u16::try_from(self.wait_for("port")?)?;
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// Waits for the number that it says under a name.
    ///
    /// # Errors
    /// It ends without saying it.
    pub fn wait_for(&mut self, name: &str) -> Result<u64> {
        for line in &mut self.lines {
            match line?.split_once(' ') {
                Some((said, number)) if said == name => return Ok(number.parse()?),
                _ => {}
            }
        }
        Err(format!("the subject ended without a word about {name}; BENCH_LOG=1 shows its log").into())
    }

    /// Sends SIGTERM, and returns the time just before.
    ///
    /// # Errors
    /// It is gone.
    pub fn terminate(&self) -> Result<u64> {
        let sent = now();
        rustix::process::kill_process(self.pid(), Signal::TERM)?;
        Ok(sent)
    }

    /// Waits until it has exited, and returns the time.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn wait(&mut self) -> Result<(ExitStatus, u64)> {
        let status = self.child.wait()?;
        Ok((status, now()))
    }

    /// The processor time of all of its threads so far, in nanoseconds.
    ///
    /// # Errors
    /// It is gone.
    pub fn processor_time(&self) -> Result<u64> {
        let mut total = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(total)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It may have exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts this program again.
///
/// # Errors
/// The program has no path.
pub fn itself(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// The program of this name from the same build.
///
/// # Errors
/// It has not been built.
pub fn sibling(name: &str) -> Result<Command> {
    let path = std::env::current_exe()?.with_file_name(name);
    match path.exists() {
        true => Ok(Command::new(path)),
        false => Err(format!("{name} is not built: cargo build --release -p graceful-benches").into()),
    }
}

/// A port that is free now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
