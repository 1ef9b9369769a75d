//! The rules, by group.

pub(crate) mod probes;
pub(crate) mod rollout;
pub(crate) mod signals;
pub(crate) mod termination;
