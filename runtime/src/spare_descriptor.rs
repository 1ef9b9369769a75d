//! File descriptors that are held for the moment in which the process has no other left.

use std::sync::{Mutex, PoisonError};

/// As many probes at a time are accepted without a further descriptor.
const SPARE_DESCRIPTORS: usize = 4;

/// The spare descriptors of this process: released, one lets a probe in, shows whether a client waits, or opens the
/// termination log.
pub(crate) static SPARE: Spare = Spare::new();

/// Holds descriptors, or none.
#[derive(Debug)]
pub(crate) struct Spare(Mutex<Vec<platform::Descriptor>>);

impl Spare {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Takes descriptors until all are held, or none is left.
    pub(crate) fn hold(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while held.len() < SPARE_DESCRIPTORS {
            match platform::descriptor() {
                Some(descriptor) => held.push(descriptor),
                None => return,
            }
        }
    }

    /// Releases a descriptor. Returns whether one was held.
    pub(crate) fn release(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().is_some()
    }
}

#[cfg(unix)]
mod platform {
    use std::{
        io,
        os::fd::{AsFd, OwnedFd},
    };

    pub(super) type Descriptor = OwnedFd;

    /// A copy of stdin, because a sandbox may forbid files and sockets.
    pub(super) fn descriptor() -> Option<Descriptor> {
        io::stdin().as_fd().try_clone_to_owned().ok()
    }
}

/// Elsewhere no low limit of open files is known.
#[cfg(not(unix))]
mod platform {
    pub(super) type Descriptor = std::convert::Infallible;

    pub(super) fn descriptor() -> Option<Descriptor> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn descriptors_are_held_until_they_are_released() {
        let spare = Spare::new();
        assert!(!spare.release());
        spare.hold();
        spare.hold();
        assert!((0..SPARE_DESCRIPTORS).all(|_| spare.release()) && !spare.release());
    }
}
