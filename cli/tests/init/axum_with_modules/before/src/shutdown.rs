//! Signals.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at SIGTERM, and when the terminal is gone.
pub async fn wait_for_signal() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut hangup = signal(SignalKind::hangup()).unwrap();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

/// The time until a job is given up.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
