//! The exit code and the output of an exited process.

use std::{process::ExitStatus, time::Instant};

/// An exited app.
pub struct Ended {
    pub(crate) status: ExitStatus,
    /// When the harness observed the exit.
    pub at: Instant,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
}

impl Ended {
    /// How the process ended.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn with_code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "exit code\n{}", self.all());
        self
    }

    /// The exit code; `None` if a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts that stderr contains these parts in this order.
    #[track_caller]
    pub fn logs_in_order(&self, parts: &[&str]) -> &Self {
        self.in_order("stderr", &self.stderr, parts);
        self
    }

    /// Asserts that stdout contains these parts in this order.
    #[track_caller]
    pub fn prints_in_order(&self, parts: &[&str]) -> &Self {
        self.in_order("stdout", &self.stdout, parts);
        self
    }

    /// Asserts that stderr doesn't contain `part`.
    #[track_caller]
    pub fn never_logs(&self, part: &str) -> &Self {
        assert!(!self.stderr.contains(part), "stderr has `{part}`\n{}", self.all());
        self
    }

    /// Asserts that stdout doesn't contain `part`.
    #[track_caller]
    pub fn never_prints(&self, part: &str) -> &Self {
        assert!(!self.stdout.contains(part), "stdout has `{part}`\n{}", self.all());
        self
    }

    /// The summary: stderr from the summary's headline on.
    #[track_caller]
    pub fn summary(&self) -> &str {
        let start = self.stderr.find("graceful: shutdown after");
        start.map(|at| &self.stderr[at..]).unwrap_or_else(|| panic!("stderr has no summary\n{}", self.all()))
    }

    #[track_caller]
    fn in_order(&self, stream: &str, text: &str, parts: &[&str]) {
        let mut from = 0;
        for part in parts {
            match text[from..].find(part) {
                Some(at) => from += at + part.len(),
                None => panic!("{stream} has no `{part}` in its place among {parts:?}\n{}", self.all()),
            }
        }
    }

    /// Status and output, for messages.
    pub fn all(&self) -> String {
        format!("--- {}\n--- stdout\n{}\n--- stderr\n{}\n---", self.status, self.stdout, self.stderr)
    }
}
