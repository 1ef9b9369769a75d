//! The tokio runtime that `main` runs on.

use std::io;
use tokio::runtime::{self, Runtime};

/// The kind of tokio runtime that `main` runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavor {
    /// A pool of worker threads.
    #[default]
    MultiThread,
    /// The main thread alone.
    CurrentThread,
}

/// The tokio runtime that `main` runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuntimeConfig {
    /// Its kind.
    pub flavor: Flavor,
    /// How many worker threads; one for each processor if not said.
    pub worker_threads: Option<usize>,
    /// How many threads for blocking code at the most; tokio's default (512) if not said.
    pub max_blocking_threads: Option<usize>,
}

impl RuntimeConfig {
    pub(super) fn build(&self) -> io::Result<Runtime> {
        let mut builder = match self.flavor {
            Flavor::MultiThread => runtime::Builder::new_multi_thread(),
            Flavor::CurrentThread => runtime::Builder::new_current_thread(),
        };
        if let Some(threads) = self.worker_threads {
            builder.worker_threads(threads);
        }
        if let Some(threads) = self.max_blocking_threads {
            builder.max_blocking_threads(threads);
        }
        builder.enable_all().build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    #[test]
    fn the_runtime_has_as_many_threads_as_it_is_told() {
        let config =
            RuntimeConfig { flavor: Flavor::MultiThread, worker_threads: Some(7), max_blocking_threads: Some(1) };
        let runtime = config.build().unwrap();
        assert_eq!(runtime.metrics().num_workers(), 7);
        // The second one runs when the first has given up on it.
        let (started, second) = mpsc::channel();
        let first = runtime.spawn_blocking(move || second.recv_timeout(Duration::from_millis(100)));
        let behind = runtime.spawn_blocking(move || started.send(()));
        assert!(runtime.block_on(first).unwrap().is_err(), "two threads for blocking code");
        assert!(runtime.block_on(behind).unwrap().is_err());
    }
}
