//! Reads the output of a process to its end and keeps a bounded part.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, sleep},
};

/// What a process has printed: the length, and a part of the bytes.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    total: u64,
    /// Every writer has closed its end of the pipe.
    closed: bool,
}

/// Which part of an output is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    First(usize),
    Last(usize),
}

/// The output of a process, read by a task until it ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Kept>>);

impl Output {
    /// Starts to read.
    pub(crate) fn of(mut source: impl AsyncRead + Unpin + Send + 'static, part: Part) -> Self {
        let output = Self::default();
        let kept = output.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(length @ 1..) = source.read(&mut buffer).await {
                kept.lock().add(&buffer[..length], part);
            }
            kept.lock().closed = true;
        });
        output
    }

    /// The number of bytes printed.
    pub(crate) fn total(&self) -> u64 {
        self.lock().total
    }

    /// Waits at most this long until everything that a process has printed is read.
    pub(crate) async fn read_to_end(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.lock().closed && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The kept part.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).into_owned()
    }

    /// The last lines that are not empty, at most 200 characters of each, without control characters.
    pub(crate) fn last_lines(&self, number: usize) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
        let lines: Vec<_> = lines.map(|line| line.chars().filter(|c| !c.is_control()).take(200).collect()).collect();
        lines[lines.len().saturating_sub(number)..].to_vec()
    }

    /// The last one of these lines.
    pub(crate) fn last_line(&self) -> Option<String> {
        self.last_lines(1).pop().map(|line| line.trim().to_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, bytes: &[u8], part: Part) {
        self.total += bytes.len() as u64;
        match part {
            Part::First(limit) => {
                let room = limit.saturating_sub(self.bytes.len());
                self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Part::Last(limit) => {
                self.bytes.extend_from_slice(bytes);
                let excess = self.bytes.len().saturating_sub(limit);
                self.bytes.drain(..excess);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_part_is_kept() {
        for (part, kept) in [(Part::First(4), "abcd"), (Part::Last(4), "defg"), (Part::First(9), "abcdefg")] {
            let output = Output::default();
            output.lock().add(b"abc", part);
            output.lock().add(b"defg", part);
            assert_eq!((output.text().as_str(), output.total()), (kept, 7));
        }
        let output = Output::default();
        output.lock().add(b"first\n\n  second\n\x1b[31mlast\n\n", Part::Last(99));
        assert_eq!(output.last_lines(2), ["  second", "[31mlast"]);
        assert_eq!(output.last_lines(9).len(), 3);
    }
}
