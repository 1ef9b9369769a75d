//! Client programs of `clients/README.md`: prepared once, and run.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// hyper without a pool.
    Hyper,
    /// reqwest.
    Reqwest,
    /// Go's `net/http`.
    Go,
    /// Python's requests.
    Requests,
    /// Python's httpx.
    Httpx,
    /// Python's aiohttp.
    Aiohttp,
    /// Node's undici.
    Undici,
    /// Node's `http.Agent`.
    Agent,
    /// Java's `HttpClient`.
    Java,
}

/// How a program is run.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// Where to send requests.
    pub url: &'a str,
    /// GET or POST.
    pub method: &'a str,
    /// Concurrent callers.
    pub callers: u32,
    /// How long.
    pub seconds: u64,
    /// The longest pause of a caller between two calls, in milliseconds.
    pub pause: u64,
    /// HTTP/2 instead of HTTP/1.1.
    pub http2: bool,
}

/// What a program has counted.
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// All calls.
    pub calls: u64,
    /// The failed calls, by their error.
    pub errors: BTreeMap<String, u64>,
}

impl Report {
    /// The number of failed calls.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

type Fault = Box<dyn Error>;

impl Program {
    /// Every client.
    pub const ALL: [Self; 9] = [
        Self::Hyper,
        Self::Reqwest,
        Self::Go,
        Self::Requests,
        Self::Httpx,
        Self::Aiohttp,
        Self::Undici,
        Self::Agent,
        Self::Java,
    ];

    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hyper => "hyper, no pool",
            Self::Reqwest => "reqwest",
            Self::Go => "Go `net/http`",
            Self::Requests => "Python requests",
            Self::Httpx => "Python httpx",
            Self::Aiohttp => "Python aiohttp",
            Self::Undici => "Node undici",
            Self::Agent => "Node `http.Agent`",
            Self::Java => "Java `HttpClient`",
        }
    }

    /// Whether it speaks HTTP/1.1 here.
    pub fn speaks_http1(self) -> bool {
        self != Self::Hyper
    }

    /// Whether it speaks HTTP/2 here.
    pub fn speaks_http2(self) -> bool {
        matches!(self, Self::Hyper | Self::Reqwest | Self::Go | Self::Httpx | Self::Java)
    }

    /// Whether it speaks HTTP/2 over TLS alone. The others know beforehand that the server speaks it.
    pub fn needs_tls(self) -> bool {
        matches!(self, Self::Go | Self::Java)
    }

    /// Installs or builds what it needs in `folder`.
    ///
    /// # Errors
    /// A tool is missing or fails.
    pub fn prepare(self, folder: &Path) -> Result<(), Fault> {
        fs::create_dir_all(folder)?;
        let source = source();
        match self {
            Self::Hyper | Self::Reqwest => Ok(()),
            Self::Go => {
                run(Command::new("go").arg("build").arg("-o").arg(folder.join("go")).arg(source.join("go/main.go")))
            }
            Self::Java => {
                run(Command::new("javac").arg("-d").arg(folder.join("java")).arg(source.join("java/Client.java")))
            }
            Self::Requests | Self::Httpx | Self::Aiohttp => {
                let environment = folder.join("venv");
                run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
                let install = ["install", "--quiet", "--disable-pip-version-check", "-r"];
                run(Command::new(environment.join("bin/pip")).args(install).arg(source.join("python/requirements.txt")))
            }
            Self::Undici | Self::Agent => {
                let own = folder.join("node");
                fs::create_dir_all(&own)?;
                for file in ["package.json", "callers.mjs", "with_agent.mjs", "with_undici.mjs"] {
                    fs::copy(source.join("node").join(file), own.join(file))?;
                }
                run(Command::new("npm").args(["install", "--no-package-lock", "--silent"]).current_dir(own))
            }
        }
    }

    /// Whether it is an executable of this package.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Hyper | Self::Reqwest)
    }

    /// Starts it. `folder` is that of [`Program::prepare`], or, for an executable of this package, the executable's.
    ///
    /// # Errors
    /// It is not prepared.
    pub fn start(self, folder: &Path, load: Load<'_>) -> Result<Running, Fault> {
        let own = |name: &str| (folder.join(name).into_os_string(), None);
        let python =
            |name: &str| (folder.join("venv/bin/python").into_os_string(), Some(source().join("python").join(name)));
        let node = |name: &str| (OsString::from("node"), Some(folder.join("node").join(name)));
        let (command, script): (OsString, Option<PathBuf>) = match self {
            Self::Hyper => own("client_hyper"),
            Self::Reqwest => own("client_reqwest"),
            Self::Go => (folder.join("go").into_os_string(), None),
            Self::Requests => python("with_requests.py"),
            Self::Httpx => python("with_httpx.py"),
            Self::Aiohttp => python("with_aiohttp.py"),
            Self::Undici => node("with_undici.mjs"),
            Self::Agent => node("with_agent.mjs"),
            Self::Java => (OsString::from("java"), None),
        };
        let mut command = Command::new(command);
        if self == Self::Java {
            command.arg("-cp").arg(folder.join("java")).arg("Client");
        }
        let numbers = [u64::from(load.callers), load.seconds, load.pause].map(|number| number.to_string());
        command.args(script).args([load.url, load.method]).args(numbers).arg(if load.http2 { "2" } else { "1" });
        command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("HTTP_PROXY").env_remove("http_proxy");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(Running(command.spawn()?))
    }
}

/// A client program that runs.
pub struct Running(Child);

impl Running {
    /// Waits until it ends.
    ///
    /// # Errors
    /// It failed, or printed no report.
    pub fn report(self) -> Result<Report, Fault> {
        let output = self.0.wait_with_output()?;
        let text = String::from_utf8(output.stdout)?;
        let printed =
            text.lines().last().filter(|_| output.status.success()).ok_or(format!("{}: {text}", output.status))?;
        let value: Value = serde_json::from_str(printed)?;
        let mut report = Report { calls: value["calls"].as_u64().ok_or("no calls")?, ..Report::default() };
        for (error, times) in value["errors"].as_object().ok_or("no errors")? {
            *report.errors.entry(without_numbers(error)).or_default() += times.as_u64().ok_or("no number")?;
        }
        Ok(report)
    }
}

/// The text with `N` for each number that differs between connections, such as a port.
fn without_numbers(text: &str) -> String {
    let (mut kept, mut number) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        kept += if number.len() >= 4 { "N" } else { &number };
        number.clear();
        kept.push(c);
    }
    kept.trim_end().to_owned()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

fn run(command: &mut Command) -> Result<(), Fault> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
