//! The servers of `benches/peers` as processes.

use crate::{
    Result, client,
    subject::{self, Subject},
};
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// How a program says that it is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// 503 of `graceful`'s health server.
    HealthServer,
    /// 503 of the program's own `/readyz`.
    Route,
    /// It has no readiness endpoint: connections are refused.
    Refusal,
}

/// A server of `benches/peers`.
#[derive(Debug)]
pub struct Program {
    /// The name in tables.
    pub name: &'static str,
    file: &'static str,
    /// How it says that it is not ready.
    pub readiness: Readiness,
    /// Whether it ends its connections gracefully, and without a pause before that.
    pub drains_at_once: bool,
}

const fn program(name: &'static str, file: &'static str, readiness: Readiness, drains_at_once: bool) -> Program {
    Program { name, file, readiness, drains_at_once }
}

/// All of them. The first is the baseline, and the next two are `graceful`'s.
pub const PROGRAMS: [Program; 8] = [
    program("hyper alone", "peer_hyper", Readiness::Refusal, false),
    program("graceful, hyper", "peer_graceful_hyper", Readiness::HealthServer, true),
    program("graceful, axum", "peer_graceful_axum", Readiness::HealthServer, true),
    program("axum", "peer_axum", Readiness::Refusal, true),
    program("axum by hand", "peer_axum_by_hand", Readiness::Route, false),
    program("tokio-graceful-shutdown, axum", "peer_subsystems", Readiness::Refusal, true),
    program("actix-web", "peer_actix", Readiness::Refusal, true),
    program("Rocket", "peer_rocket", Readiness::Refusal, true),
];

/// A running program.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub subject: Subject,
    /// Where it serves.
    pub address: SocketAddr,
    /// Where `graceful`'s health server responds.
    pub health: SocketAddr,
}

impl Program {
    /// The command that starts it without a grace period on this address, and the one of its health server, by `prefix`.
    ///
    /// # Errors
    /// It is not built.
    pub fn command(&self, prefix: &[&str], address: SocketAddr, health: SocketAddr) -> Result<Command> {
        let own = subject::sibling(self.file).map_err(|error| format!("{error} -p graceful-peers"))?;
        let mut command = match prefix {
            [] => own,
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(own.get_program());
                command
            }
        };
        command.env("LISTEN", address.to_string()).env("GRACEFUL_HEALTH", health.to_string());
        command.env("GRACEFUL_GRACE", "0s");
        Ok(command)
    }

    /// Starts it, and waits until it responds.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&self, prefix: &[&str]) -> Result<Running> {
        let [address, health] = [free_address()?, free_address()?];
        // Several addresses of the loopback device lead to it, because each has 64,000 ports for clients.
        let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        let subject = Subject::start(&mut self.command(prefix, listen, health)?)?;
        wait_until_it_accepts(address)?;
        client::exchange(&mut client::connect(address)?, client::NOW)?;
        Ok(Running { subject, address, health })
    }
}

impl Running {
    /// Whether a probe says that the program is not ready. A probe without a response in time says nothing.
    ///
    /// # Errors
    /// The connection ends in another way.
    pub fn is_unready(&self, readiness: Readiness, patience: Duration) -> Result<bool> {
        let address = if readiness == Readiness::HealthServer { self.health } else { self.address };
        let mut stream = match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        stream.set_read_timeout(Some(patience))?;
        match client::exchange(&mut stream, b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n") {
            Ok((status, _)) => Ok(status == 503),
            Err(_) => Ok(false),
        }
    }

    /// The resident memory in bytes.
    ///
    /// # Errors
    /// The process exited.
    pub fn memory(&self) -> Result<u64> {
        const PAGE: u64 = 4096;
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.subject.id()))?;
        Ok(statm.split(' ').nth(1).ok_or("no resident memory")?.parse::<u64>()? * PAGE)
    }
}

/// An address of the loopback device that is currently free.
///
/// # Errors
/// There is none.
pub fn free_address() -> Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, subject::free_port()?)))
}

/// Waits until a connection is accepted.
///
/// # Errors
/// There is none for a long time.
pub fn wait_until_it_accepts(address: SocketAddr) -> Result {
    let begun = Instant::now();
    while begun.elapsed() < client::PATIENCE {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_micros(50));
    }
    Err(format!("nothing listens on {address}").into())
}
