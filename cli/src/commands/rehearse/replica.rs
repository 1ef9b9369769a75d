//! A copy of the program: its ports, its process, its address.

use super::{options::Options, progress::Progress, readiness, template::Ports};
use crate::{
    exit_code::Failure,
    load::{Endpoint, Mode},
    process::{Part, Program},
    report::{Long, span},
};
use std::{ffi::OsString, net::SocketAddr};
use tokio::time::Instant;

/// How much of standard output is kept for messages.
const KEPT_OUTPUT: usize = 16 * 1024;

/// A started copy.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) program: Program,
    ports: Ports,
    pub(crate) url: Endpoint,
    /// Where requests go, once the copy is ready.
    pub(crate) address: Option<SocketAddr>,
    /// The readiness URL with its address, once the copy is ready.
    pub(crate) ready: Option<(SocketAddr, Endpoint)>,
    addresses: Vec<SocketAddr>,
}

impl Replica {
    /// Starts a copy of the command, if no other process listens at its URLs.
    ///
    /// # Errors
    /// A port is in use, or the program does not start.
    pub(crate) async fn start(
        name: String,
        command: &[OsString],
        options: &Options,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let ports = Ports::free()?;
        let url = options.traffic.endpoint(&options.traffic.url, Some(&ports))?;
        let addresses = readiness::resolve(&url).await?;
        readiness::check_unused(&addresses).await?;
        if let Some(ready) = &options.ready {
            readiness::check_unused(&readiness::resolve(&options.traffic.endpoint(ready, Some(&ports))?).await?)
                .await?;
        }
        let command: Vec<_> = command.iter().map(|argument| ports.fill_argument(argument)).collect();
        let variables: Vec<_> = options.env.iter().map(|one| (one.name.as_str(), ports.fill(&one.value))).collect();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let program = Program::start(&command, &variables, Part::Last(KEPT_OUTPUT))?;
        progress.line(&format!("started {name} as process {}", program.id()));
        Ok(Self { name, program, ports, url, address: None, ready: None, addresses })
    }

    /// Waits until the copy is ready for each kind of client.
    ///
    /// # Errors
    /// The program ends, is not ready in time, or the URL is not usable.
    pub(crate) async fn wait_ready(&mut self, options: &Options, progress: &Progress) -> Result<SocketAddr, Failure> {
        let (started, end) = (Instant::now(), Instant::now() + options.start_timeout);
        if let Some(ready) = &options.ready {
            let endpoint = options.traffic.endpoint(ready, Some(&self.ports))?;
            let addresses = readiness::resolve(&endpoint).await?;
            let expected = readiness::Expected { endpoint: &endpoint, is_load: false, mode: Mode::NewConnections, end };
            let address = readiness::wait(&mut self.program, expected, &addresses, options).await?;
            self.ready = Some((address, endpoint));
        }
        let mut usable = self.addresses.clone();
        if options.traffic.rate == 0 {
            usable = vec![readiness::listening(&usable, end).await?];
        }
        for mode in options.traffic.used_modes() {
            let expected = readiness::Expected { endpoint: &self.url, is_load: true, mode, end };
            // The next kind of client uses the address that the first one found.
            usable = vec![readiness::wait(&mut self.program, expected, &usable, options).await?];
        }
        let address = usable[0];
        self.address = Some(address);
        progress.line(&format!("{} is ready after {}", self.name, span(started.elapsed())));
        Ok(address)
    }

    /// The URLs of long clients of this copy.
    pub(crate) fn long(&self, options: &Options) -> Result<Vec<(Long, Endpoint)>, Failure> {
        options.traffic.long_endpoints(Some(&self.ports))
    }
}
