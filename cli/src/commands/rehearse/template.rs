//! Texts with placeholders for free ports: each copy of a program gets its own.

use crate::{
    exit_code::{ExitCode, Failure},
    load::Endpoint,
};
use std::{ffi::OsString, net::TcpListener, str::FromStr};

/// The placeholders.
const NAMES: [&str; 3] = ["{port}", "{port2}", "{port3}"];

/// The ports of one copy, one for each placeholder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports([u16; NAMES.len()]);

impl Ports {
    /// Ports that are free now. The program may find them taken if another one is faster.
    pub(crate) fn free() -> Result<Self, Failure> {
        let failed = |error| Failure::new(ExitCode::Io, format!("no free port: {error}"));
        // Held until all are known, so that they differ.
        let listeners = NAMES.map(|_| TcpListener::bind("127.0.0.1:0"));
        let mut ports = [0; NAMES.len()];
        for (port, listener) in ports.iter_mut().zip(listeners) {
            *port = listener.and_then(|listener| listener.local_addr()).map_err(failed)?.port();
        }
        Ok(Self(ports))
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

/// A URL that may have placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(String);

impl Template {
    /// The URL of a copy with these ports.
    ///
    /// # Errors
    /// None: the template was parsed before.
    pub(crate) fn endpoint(&self, ports: &Ports) -> Result<Endpoint, Failure> {
        ports.fill(&self.0).parse().map_err(|error: String| Failure::new(ExitCode::Usage, error))
    }

    /// The URL without placeholders.
    ///
    /// # Errors
    /// It has a placeholder.
    pub(crate) fn plain(&self) -> Result<Endpoint, Failure> {
        let wrong = |error: String| Failure::new(ExitCode::Usage, error);
        if self.has_port() {
            let text = &self.0;
            return Err(wrong(format!(
                "{text}: no program is started here that has a free port; write the port itself"
            )));
        }
        self.0.parse().map_err(wrong)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether both have the same host and port.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        let place = |template: &Self| template.0.split('/').nth(2).map(str::to_owned);
        place(self) == place(other)
    }

    /// Whether each copy has a URL of its own.
    pub(crate) fn has_port(&self) -> bool {
        NAMES.iter().any(|name| self.0.contains(name))
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ports([1; NAMES.len()]).fill(text).parse::<Endpoint>()?;
        Ok(Self(text.to_owned()))
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
        assert!(words[0] != words[1] && words[1] != words[2] && words[3] == "{port4}", "{filled}");
        let template: Template = "http://127.0.0.1:{port}/".parse().unwrap();
        assert_eq!(template.endpoint(&ports).unwrap().address, format!("127.0.0.1:{}", words[0]));
        assert!(template.has_port() && "127.0.0.1:{port}".parse::<Template>().is_err());
        assert!("=a".parse::<Variable>().is_err() && "a".parse::<Variable>().is_err());
        assert_eq!("a=b=c".parse::<Variable>().unwrap().value, "b=c");
    }
}
