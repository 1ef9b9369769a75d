//! Waits until a program is ready, checks the URL of the load, and watches the readiness URL after the signal.

use super::{options::Options, traffic::Traffic};
use crate::{
    exit_code::{ExitCode, Failure},
    load::{Endpoint, Exchange, Fault, Mode, Schedule, fetch, mismatch},
    process::Program,
    report::{Outcome, span},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, sleep, timeout, timeout_at},
};

/// The pause between two attempts until the program is ready.
const ATTEMPTS: Duration = Duration::from_millis(50);
/// The pause between two looks at what a port speaks.
const LOOKS: Duration = Duration::from_secs(1);
/// The pause between two looks at the readiness URL after the signal.
const WATCH: Duration = Duration::from_millis(5);
/// The limit of a look-up of a host name, and of the check whether a port is in use.
const LIMIT: Duration = Duration::from_secs(5);

/// The addresses of the host.
///
/// # Errors
/// The name does not resolve.
pub(crate) async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Failure> {
    let failed = |why: String| Failure::new(ExitCode::Url, format!("cannot resolve {}: {why}", endpoint.address));
    let found = timeout(LIMIT, lookup_host(&endpoint.address)).await.map_err(|_| failed("no response".to_owned()))?;
    let addresses: Vec<_> = found.map_err(|error| failed(error.to_string()))?.collect();
    if addresses.is_empty() { Err(failed("no address".to_owned())) } else { Ok(addresses) }
}

/// Checks that nothing listens yet.
///
/// # Errors
/// A process accepts connections: the load would not go to the program.
pub(crate) async fn check_unused(addresses: &[SocketAddr]) -> Result<(), Failure> {
    for address in addresses {
        if matches!(timeout(LIMIT, TcpStream::connect(address)).await, Ok(Ok(_))) {
            let message = format!("another process listens on {address} already; stop it, or choose another port");
            return Err(Failure::new(ExitCode::Url, message));
        }
    }
    Ok(())
}

/// What a response means for a program that is expected to be ready.
enum Answer {
    Ready,
    Wait(String),
    /// The connection is accepted, and then fails: the port may speak another protocol.
    Odd(String),
    Refuse(String),
}

fn judge(expected: Expected<'_>, result: Result<Exchange, Fault>) -> Answer {
    let url = &expected.endpoint.url;
    let exchange = match result {
        Ok(exchange) => exchange,
        Err(Fault { outcome: Outcome::TooLong | Outcome::Certificate | Outcome::Protocol, error }) => {
            return Answer::Refuse(format!("{url}: {error}"));
        }
        Err(Fault { outcome: Outcome::Refused, error }) => {
            let port = expected.endpoint.default_port().map_or_else(String::new, |port| {
                format!("; the URL names no port and means port {port}: write the port of the program, as in HOST:3000")
            });
            return Answer::Wait(format!("{url}: {error}{port}"));
        }
        Err(Fault { outcome: Outcome::NotConnected | Outcome::OutOfResources, error }) => {
            return Answer::Wait(format!("{url}: {error}"));
        }
        Err(Fault { error, .. }) => return Answer::Odd(format!("{url}: {error}")),
    };
    match (exchange.status.as_u16(), exchange.outcome()) {
        (300..400, _) => {
            let to = exchange.location.map_or_else(String::new, |to| format!(" to {to:.200}"));
            Answer::Refuse(format!("{url} redirects{to}; redirects are not followed, name the final URL"))
        }
        (status @ 400..500, _) if expected.is_load => {
            Answer::Refuse(format!("{url} responds with status {status}; name a URL with --url whose response is 2xx"))
        }
        (_, Err(fault)) => {
            let why = format!("{url} responds with {}", fault.error);
            match exchange.call.and_then(|call| call.advice()) {
                Some(advice) => Answer::Refuse(format!("{why}; {advice}")),
                None => Answer::Wait(why),
            }
        }
        (_, Ok(_)) if !exchange.serving => Answer::Wait(format!("{url}: the health check does not respond SERVING")),
        (_, Ok(_)) => Answer::Ready,
    }
}

/// What a program must respond to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// The URL of the load, at which a client error is final.
    pub(crate) is_load: bool,
    pub(crate) mode: Mode,
    pub(crate) end: Instant,
}

/// Why a URL is not usable.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// Waiting does not help.
    Refused(String),
    /// The time is over.
    Late(String),
}

/// Waits until the URL responds with 2xx and returns the address that does. Each attempt has this limit.
///
/// # Errors
/// The time is over, or the URL never becomes usable.
pub(crate) async fn reach(
    expected: Expected<'_>,
    addresses: &[SocketAddr],
    limit: Duration,
) -> Result<SocketAddr, Unusable> {
    let Expected { endpoint, mode, end, .. } = expected;
    let (mut reason, mut look) = ((Duration::ZERO, String::new()), Instant::now());
    loop {
        for address in addresses {
            let left = || limit.min(end.saturating_duration_since(Instant::now()));
            let attempt = || async { judge(expected, fetch(*address, endpoint, mode, left()).await) };
            let limit = left();
            let mut answer = attempt().await;
            if matches!(answer, Answer::Odd(_)) && Instant::now() >= look {
                if let Ok(Some(why)) = timeout_at(end, mismatch(*address, endpoint, mode)).await {
                    // A program that began to serve between both is no mismatch.
                    answer = match attempt().await {
                        Answer::Odd(_) => Answer::Refuse(format!("{}: {why}", endpoint.url)),
                        answer => answer,
                    };
                }
                look = Instant::now() + LOOKS;
            }
            match answer {
                Answer::Ready => return Ok(*address),
                Answer::Refuse(why) => return Err(Unusable::Refused(why)),
                // The end of the time cuts the last attempt short: one that had much more time says what is wrong.
                Answer::Wait(why) | Answer::Odd(why) if limit * 2 >= reason.0 => reason = (limit, why),
                Answer::Wait(_) | Answer::Odd(_) => {}
            }
            if Instant::now() >= end {
                return Err(Unusable::Late(reason.1));
            }
        }
        sleep(ATTEMPTS).await;
    }
}

/// Waits until one of the addresses accepts connections.
///
/// # Errors
/// The time is over.
pub(crate) async fn listening(addresses: &[SocketAddr], end: Instant) -> Result<SocketAddr, Failure> {
    loop {
        for address in addresses {
            if matches!(timeout(LIMIT, TcpStream::connect(address)).await, Ok(Ok(_))) {
                return Ok(*address);
            }
        }
        if Instant::now() >= end {
            let message = format!("nothing listens on {addresses:?}, the address of --url");
            return Err(Failure::new(ExitCode::Url, message));
        }
        sleep(ATTEMPTS).await;
    }
}

/// Waits until the URL of a program responds with 2xx and returns the address that does.
///
/// # Errors
/// The program ends, the time is over, or the URL never becomes usable.
pub(crate) async fn wait(
    program: &mut Program,
    expected: Expected<'_>,
    addresses: &[SocketAddr],
    options: &Options,
) -> Result<SocketAddr, Failure> {
    let reached = tokio::select! {
        status = program.wait() => return Err(ended(program, &status?.to_string(), "before it was ready").await),
        reached = reach(expected, addresses, options.traffic.timeout) => reached,
    };
    reached.map_err(|unusable| match unusable {
        Unusable::Refused(why) => Failure::new(ExitCode::Url, why),
        Unusable::Late(why) => {
            let limit = options.start_timeout;
            let message = format!("the program is not ready after {}: {why}{}", span(limit), program.last_lines());
            Failure::new(ExitCode::Start, message)
        }
    })
}

/// The URL of a running service and the address that responds with 2xx to each kind of client.
///
/// # Errors
/// The name does not resolve, or the URL is not usable within the limit.
pub(crate) async fn reach_service(traffic: &Traffic, limit: Duration) -> Result<(Endpoint, SocketAddr), Failure> {
    let (endpoint, end) = (traffic.endpoint(&traffic.url, None)?, Instant::now() + limit);
    let mut usable = resolve(&endpoint).await?;
    if traffic.rate == 0 {
        usable = vec![listening(&usable, end).await?];
    }
    for mode in traffic.used_modes() {
        let expected = Expected { endpoint: &endpoint, is_load: true, mode, end };
        let reached = reach(expected, &usable, traffic.timeout).await;
        // The next kind of client uses the address that the first one found.
        usable = vec![reached.map_err(|unusable| match unusable {
            Unusable::Refused(why) => Failure::new(ExitCode::Url, why),
            Unusable::Late(why) => {
                Failure::new(ExitCode::Url, format!("no 2xx response within {}: {why}", span(limit)))
            }
        })?];
    }
    Ok((endpoint, usable[0]))
}

/// The failure of a program that ends too early.
pub(crate) async fn ended(program: &Program, status: &str, when: &str) -> Failure {
    program.stderr.read_to_end(Duration::from_millis(200)).await;
    Failure::new(ExitCode::Start, format!("the program ended with {status} {when}{}", program.last_lines()))
}

/// Watches the readiness URL until a response is not 2xx. Returns the time and the status or error.
pub(crate) async fn watch(address: SocketAddr, endpoint: &Endpoint, schedule: &Schedule) -> (u64, String) {
    loop {
        let how = match fetch(address, endpoint, Mode::NewConnections, LIMIT).await {
            Ok(exchange) if exchange.status.is_success() => None,
            Ok(exchange) => Some(exchange.status.as_u16().to_string()),
            Err(fault) => Some(fault.outcome.name()),
        };
        if let Some(how) = how {
            return (schedule.now(), how);
        }
        sleep(WATCH).await;
    }
}
