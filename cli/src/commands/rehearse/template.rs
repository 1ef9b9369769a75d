//! Texts with placeholders for free ports: each copy of a program gets its own.

use crate::{
    exit_code::{ExitCode, Failure},
    load::{self, Schemes},
};
use std::{
    ffi::OsString,
    hash::{BuildHasher, Hasher, RandomState},
    net::TcpListener,
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// The placeholders.
const NAMES: [&str; 3] = ["{port}", "{port2}", "{port3}"];

/// Free ports are the odd ones from here on: on Linux, client connections have even ports, and ports from 32768 on by
/// default. The load opens many of them.
const FIRST: u16 = 10_001;
/// How many odd ports there are below 32768.
const COUNT: u16 = (32_768 - FIRST).div_ceil(2);
/// How many of these ports may be taken before the system chooses one.
const ATTEMPTS: u32 = 100;

/// The ports of one copy, one for each placeholder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports([u16; NAMES.len()]);

impl Ports {
    /// Ports that are free now. The program may find them taken if another one is faster.
    pub(crate) fn free() -> Result<Self, Failure> {
        // Held until all are known, so that they differ.
        let mut listeners = Vec::new();
        let mut ports = [0; NAMES.len()];
        for port in &mut ports {
            let listener = free_listener();
            let bound = listener.and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
            let (number, listener) =
                bound.map_err(|error| Failure::new(ExitCode::Io, format!("no free port: {error}")))?;
            *port = number;
            listeners.push(listener);
        }
        Ok(Self(ports))
    }

    /// Different ports, to look at a template.
    fn any() -> Self {
        Self([1, 2, 3])
    }

    /// The text with the ports in place of the placeholders.
    pub(crate) fn fill(&self, text: &str) -> String {
        NAMES.iter().zip(self.0).fold(text.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()))
    }

    /// The same for an argument; one that is not UTF-8 has no placeholder.
    pub(crate) fn fill_argument(&self, argument: &OsString) -> OsString {
        argument.to_str().map_or_else(|| argument.clone(), |text| self.fill(text).into())
    }
}

/// A listener on a port that no client connection takes, and no other copy of this rehearsal.
fn free_listener() -> std::io::Result<TcpListener> {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish() % u64::from(COUNT)));
    for _ in 0..ATTEMPTS {
        let number = NEXT.fetch_add(1, Relaxed) % u64::from(COUNT);
        let port = FIRST + 2 * number as u16;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener);
        }
    }
    TcpListener::bind("127.0.0.1:0")
}

/// A URL that may have placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(String);

impl Template {
    /// A template of a URL of these schemes.
    fn new(text: &str, schemes: Schemes) -> Result<Self, String> {
        load::check(&Ports::any().fill(text), schemes)?;
        Ok(Self(text.to_owned()))
    }

    /// The URL of a WebSocket, for clap.
    pub(crate) fn websocket(text: &str) -> Result<Self, String> {
        Self::new(text, load::WEBSOCKET)
    }

    /// The URL of a copy with these ports.
    pub(crate) fn url(&self, ports: &Ports) -> String {
        ports.fill(&self.0)
    }

    /// The URL without placeholders.
    ///
    /// # Errors
    /// It has a placeholder.
    pub(crate) fn plain(&self) -> Result<String, Failure> {
        let text = &self.0;
        match self.has_port() {
            false => Ok(text.clone()),
            true => {
                let text = format!("{text}: no program is started here that has a free port; write the port itself");
                Err(Failure::new(ExitCode::Usage, text))
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether both have the same host and port.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        let place = |template: &Self, schemes| load::check(&Ports::any().fill(&template.0), schemes).ok();
        let schemes = |template: &Self| if template.0.starts_with("ws") { load::WEBSOCKET } else { load::HTTP };
        place(self, schemes(self)) == place(other, schemes(other))
    }

    /// Whether each copy has a URL of its own.
    pub(crate) fn has_port(&self) -> bool {
        NAMES.iter().any(|name| self.0.contains(name))
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(text, load::HTTP)
    }
}

/// A variable of the program: `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !text.contains('\0') => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("write NAME=VALUE".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_different_free_ports() {
        let ports = Ports::free().unwrap();
        let filled = ports.fill("{port} {port2} {port3} {port4}");
        let words: Vec<_> = filled.split(' ').collect();
        let is_listeners = |port: u16| (FIRST..32_768).contains(&port) && port % 2 == 1;
        assert!(words[..3].iter().all(|port| is_listeners(port.parse().unwrap())), "{filled}");
        assert!(words[0] != words[1] && words[1] != words[2] && words[3] == "{port4}", "{filled}");
        let template: Template = "http://127.0.0.1:{port}/".parse().unwrap();
        assert_eq!(template.url(&ports), format!("http://127.0.0.1:{}/", words[0]));
        let others = (0..50).map(|_| Ports::free().unwrap().0);
        assert!(others.flatten().all(|port| !ports.0.contains(&port)), "two copies have the same port");
        assert!(template.has_port() && "127.0.0.1:{port}".parse::<Template>().is_err());
        assert!("=a".parse::<Variable>().is_err() && "a".parse::<Variable>().is_err());
        assert_eq!("a=b=c".parse::<Variable>().unwrap().value, "b=c");
    }
}
