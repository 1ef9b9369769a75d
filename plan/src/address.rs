//! Where the health server listens.

use crate::error::AddressError;
use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
};

/// Where the health server listens: **`[::]:8081`** by default, on its own port, apart from the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No health server.
    Off,
    /// This address. Port 0 takes a free port, which the log names.
    At(SocketAddr),
}

impl Health {
    /// `[::]:8081`: every address of the pod, IPv4 and IPv6.
    pub const DEFAULT: Self = Self::port(8081);

    /// Every address of the pod, at this port.
    pub const fn port(port: u16) -> Self {
        Self::At(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0)))
    }

    /// Reads `"[::]:8081"`, `"0.0.0.0:8081"`, a port alone (`"8081"` or `":8081"`), or `"off"`.
    ///
    /// # Errors
    /// Any other text; the error says what to write instead.
    ///
    /// ```
    /// use graceful_plan::Health;
    /// assert_eq!(Health::parse("8081"), Ok(Health::DEFAULT));
    /// assert_eq!(Health::parse("off"), Ok(Health::Off));
    /// assert!(Health::parse("localhost").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self::Off);
        }
        if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
            return Ok(Self::port(port));
        }
        text.parse().map(Self::At).map_err(|_| AddressError { text: text.to_owned() })
    }

    /// Whether this is a loopback address, which the kubelet can't reach because it probes the pod's address.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Off => false,
            Self::At(addr) => match addr.ip() {
                IpAddr::V4(ip) => ip.is_loopback(),
                IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
            },
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(addr) => addr.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_form() {
        for (text, shown) in [
            ("[::]:8081", "[::]:8081"),
            ("8081", "[::]:8081"),
            (":9000", "[::]:9000"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("off", "off"),
            ("127.0.0.1:1", "127.0.0.1:1"),
        ] {
            assert_eq!(Health::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", "localhost:8081", "70000", "1.2.3.4", "on"] {
            assert!(Health::parse(text).unwrap_err().to_string().contains("write `[::]:8081`"), "{text}");
        }
    }

    #[test]
    fn recognizes_loopback_in_both_address_families() {
        for text in ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(Health::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "off"] {
            assert!(!Health::parse(text).unwrap().is_loopback(), "{text}");
        }
    }
}
