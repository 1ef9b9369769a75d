//! The tokio runtime that `main` runs on.

use std::{io, thread};
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
    /// The number of worker threads; default: one for each processor.
    pub worker_threads: Option<usize>,
    /// The maximum number of threads for blocking code; default: tokio's (512).
    pub max_blocking_threads: Option<usize>,
}

impl RuntimeConfig {
    /// The number of worker threads, as tokio counts them.
    pub(super) fn workers(&self) -> usize {
        let from_environment = || std::env::var("TOKIO_WORKER_THREADS").ok()?.parse().ok();
        match self.flavor {
            Flavor::CurrentThread => 0,
            Flavor::MultiThread => self
                .worker_threads
                .or_else(from_environment)
                .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
        }
    }

    /// Builds the runtime.
    ///
    /// # Errors
    /// The system refuses a resource.
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
    fn the_runtime_has_the_configured_numbers_of_threads() {
        let config =
            RuntimeConfig { flavor: Flavor::MultiThread, worker_threads: Some(7), max_blocking_threads: Some(1) };
        let runtime = config.build().unwrap();
        assert_eq!(runtime.metrics().num_workers(), 7);
        // The second task runs only after the first has timed out.
        let (started, second) = mpsc::channel();
        let first = runtime.spawn_blocking(move || second.recv_timeout(Duration::from_millis(100)));
        let behind = runtime.spawn_blocking(move || started.send(()));
        assert!(runtime.block_on(first).unwrap().is_err(), "two threads for blocking code");
        assert!(runtime.block_on(behind).unwrap().is_err());
    }
}
