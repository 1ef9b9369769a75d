//! The listener of the health server.

use crate::error::StartError;
use graceful_plan::Health;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// Binds the health address; `None` if the health server is off.
///
/// # Errors
/// The address is in use, or not of this machine.
pub(crate) fn bind(health: Health) -> Result<Option<TcpListener>, StartError> {
    let Health::At(address) = health else {
        return Ok(None);
    };
    let bound = listen(address).or_else(|error| match address {
        // On a machine without IPv6, "every address" is every IPv4 address.
        SocketAddr::V6(v6) if v6.ip().is_unspecified() && error.raw_os_error() == Some(NO_IPV6) => {
            listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, v6.port())))
        }
        _ => Err(error),
    });
    bound.map(Some).map_err(|error| StartError::Health { address: address.to_string(), error })
}

#[cfg(unix)]
const NO_IPV6: i32 = libc::EAFNOSUPPORT;
/// WSAEAFNOSUPPORT.
#[cfg(windows)]
const NO_IPV6: i32 = 10047;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // On Unix this allows an address in TIME_WAIT; on Windows it would allow taking an address that is in use.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}
