//! What is left of a process: its exit code and its words.

use std::{process::ExitStatus, time::Instant};

/// An app that has ended.
pub struct Ended {
    pub(crate) status: ExitStatus,
    /// When it was seen to have ended.
    pub at: Instant,
    /// Everything on stdout.
    pub printed: String,
    /// Everything on stderr.
    pub said: String,
}

impl Ended {
    /// Fails unless the exit code is this.
    #[track_caller]
    pub fn with_code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "exit code\n{}", self.all());
        self
    }

    /// Fails unless stderr has these parts, each after the one before.
    #[track_caller]
    pub fn says_in_order(&self, parts: &[&str]) -> &Self {
        self.in_order("stderr", &self.said, parts);
        self
    }

    /// Fails unless stdout has these parts, each after the one before.
    #[track_caller]
    pub fn prints_in_order(&self, parts: &[&str]) -> &Self {
        self.in_order("stdout", &self.printed, parts);
        self
    }

    /// Fails if stderr has this.
    #[track_caller]
    pub fn never_says(&self, part: &str) -> &Self {
        assert!(!self.said.contains(part), "stderr has `{part}`\n{}", self.all());
        self
    }

    /// Fails if stdout has this.
    #[track_caller]
    pub fn never_prints(&self, part: &str) -> &Self {
        assert!(!self.printed.contains(part), "stdout has `{part}`\n{}", self.all());
        self
    }

    /// The summary: stderr from its headline on.
    #[track_caller]
    pub fn summary(&self) -> &str {
        let start = self.said.find("graceful: shutdown after");
        start.map(|at| &self.said[at..]).unwrap_or_else(|| panic!("stderr has no summary\n{}", self.all()))
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

    /// Everything, for messages.
    pub fn all(&self) -> String {
        format!("--- {}\n--- stdout\n{}\n--- stderr\n{}\n---", self.status, self.printed, self.said)
    }
}
