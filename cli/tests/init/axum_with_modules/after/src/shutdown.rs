//! Signals.

/// The time until a job is given up.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
