//! Calls of `kubectl`. Each has a time limit, and its process group ends with it.

use crate::{
    exit_code::{ExitCode, Failure},
    process::{Output, Part, kill_group},
    report::span,
};
use serde_json::{Deserializer, Value};
use std::{io, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// The limit of a call that does not wait for the cluster to change.
pub(crate) const CALL: Duration = Duration::from_secs(20);
/// The largest output of a call, and the largest object of a watch.
const LARGEST: usize = 64 << 20;
/// How much of standard error is kept.
const KEPT_ERRORS: usize = 16 * 1024;

/// `kubectl` with the options that choose the cluster and the namespace.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    scope: Vec<String>,
}

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    /// The last line of standard error.
    pub(crate) error: String,
}

impl Kubectl {
    pub(crate) fn new(context: Option<&str>, namespace: Option<&str>) -> Self {
        let option = |name: &str, value: Option<&str>| value.map(|value| format!("--{name}={value}"));
        Self { scope: [option("context", context), option("namespace", namespace)].into_iter().flatten().collect() }
    }

    /// The context that is chosen.
    pub(crate) fn context(&self) -> Option<String> {
        self.scope.iter().find_map(|option| option.strip_prefix("--context=")).map(str::to_owned)
    }

    /// Calls `kubectl` and returns its output.
    ///
    /// # Errors
    /// `kubectl` is missing, fails, or exceeds the limit.
    pub(crate) async fn run(&self, arguments: &[&str], limit: Duration) -> Result<String, Failure> {
        let called = self.call(arguments, "", limit).await?;
        if called.success { Ok(called.stdout) } else { Err(failed(&shown(arguments), &called.error)) }
    }

    /// The same, with the output as JSON.
    ///
    /// # Errors
    /// As of [`Kubectl::run`], or the output is not JSON.
    pub(crate) async fn json(&self, arguments: &[&str], limit: Duration) -> Result<Value, Failure> {
        let text = self.run(arguments, limit).await?;
        serde_json::from_str(&text)
            .map_err(|error| failed(&shown(arguments), &format!("its output is not JSON: {error}")))
    }

    /// Calls `kubectl` with this standard input.
    ///
    /// # Errors
    /// `kubectl` is missing, or exceeds the limit.
    pub(crate) async fn call(&self, arguments: &[&str], input: &str, limit: Duration) -> Result<Called, Failure> {
        let mut running = self.start(arguments)?;
        let Running { child, stdin, stdout, stderr, .. } = &mut running;
        let call = async {
            if let Some(mut stdin) = stdin.take() {
                // A kubectl that does not read it says why on standard error.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
            let mut bytes = Vec::new();
            stdout.take(LARGEST as u64).read_to_end(&mut bytes).await?;
            Ok::<_, io::Error>((bytes, child.wait().await?))
        };
        let call = timeout(limit, call).await.map_err(|_| {
            let hint = "is the cluster reachable? (kubectl cluster-info)";
            failed(&shown(arguments), &format!("no response within {}; {hint}", span(limit)))
        })?;
        let (stdout, status) = call.map_err(|error| failed(&shown(arguments), &error.to_string()))?;
        stderr.read_to_end(Duration::from_millis(200)).await;
        let error = stderr.last_line().unwrap_or_else(|| format!("{status}"));
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        Ok(Called { success: status.success(), stdout, error })
    }

    /// Starts a call whose output is read as it comes.
    ///
    /// # Errors
    /// `kubectl` is missing.
    pub(crate) fn stream(&self, arguments: &[&str]) -> Result<Stream, Failure> {
        let mut running = self.start(arguments)?;
        drop(running.stdin.take());
        Ok(Stream { running, buffer: Vec::new() })
    }

    fn start(&self, arguments: &[&str]) -> Result<Running, Failure> {
        let mut command = Command::new("kubectl");
        command.args(&self.scope).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C of the terminal does not reach it: what it does ends in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| {
            let message = format!("cannot run kubectl: {error}; install it, and put its folder into PATH");
            Failure::new(ExitCode::Kubernetes, message)
        })?;
        match (child.id(), child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(id), stdin, Some(stdout), Some(stderr)) => {
                let (stdout, stderr) = (BufReader::new(stdout), Output::of(stderr, Part::Last(KEPT_ERRORS)));
                Ok(Running { child, id, stdin, stdout, stderr })
            }
            _ => Err(failed(&shown(arguments), "no process id or no pipes")),
        }
    }
}

/// A running `kubectl`. Dropping it kills its process group, credential plugins included.
#[derive(Debug)]
struct Running {
    child: Child,
    id: u32,
    stdin: Option<tokio::process::ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Output,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The id is valid until the process is waited for.
        if self.child.id().is_some() {
            kill_group(self.id);
        }
    }
}

/// The output of a running `kubectl`.
#[derive(Debug)]
pub(crate) struct Stream {
    running: Running,
    buffer: Vec<u8>,
}

impl Stream {
    /// The next line, without its end. `None`: the output has ended.
    ///
    /// # Cancel safety
    /// No byte is lost.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.fill().await?;
        }
    }

    /// The next JSON document. `None`: the output has ended, or is not JSON.
    ///
    /// # Cancel safety
    /// No byte is lost.
    pub(crate) async fn document(&mut self) -> Option<Value> {
        loop {
            let mut documents = Deserializer::from_slice(&self.buffer).into_iter::<Value>();
            match documents.next() {
                Some(Ok(value)) => {
                    let read = documents.byte_offset();
                    self.buffer.drain(..read);
                    return Some(value);
                }
                Some(Err(error)) if !error.is_eof() => return None,
                _ => self.fill().await?,
            }
        }
    }

    async fn fill(&mut self) -> Option<()> {
        let bytes = self.running.stdout.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
        let length = bytes.len();
        if self.buffer.len() + length > LARGEST {
            return None;
        }
        self.buffer.extend_from_slice(bytes);
        self.running.stdout.consume(length);
        Some(())
    }

    /// Why the output has ended: the last line of standard error.
    pub(crate) async fn error(&self) -> String {
        self.running.stderr.read_to_end(Duration::from_millis(200)).await;
        self.running.stderr.last_line().unwrap_or_else(|| "its output ended".to_owned())
    }
}

/// The failure of a call.
pub(crate) fn failed(call: &str, why: &str) -> Failure {
    Failure::new(ExitCode::Kubernetes, format!("kubectl {call}: {why}"))
}

/// The arguments in a message, without options.
fn shown(arguments: &[&str]) -> String {
    let words: Vec<_> = arguments.iter().take_while(|word| !word.starts_with('-')).copied().collect();
    words.join(" ")
}
