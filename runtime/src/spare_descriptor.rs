//! A file descriptor that is held for the moment in which the process has no other left.

use std::sync::{Mutex, PoisonError};

/// The spare descriptor of this process: released, it lets a probe in, or opens the termination log.
pub(crate) static SPARE: Spare = Spare::new();

/// Holds a descriptor, or none.
#[derive(Debug)]
pub(crate) struct Spare(Mutex<Option<platform::Descriptor>>);

impl Spare {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Takes a descriptor, unless one is held or none is left.
    pub(crate) fn hold(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = platform::descriptor();
        }
    }

    /// Releases the descriptor. Returns whether one was held.
    pub(crate) fn release(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
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
    fn the_descriptor_is_held_until_it_is_released() {
        let spare = Spare::new();
        assert!(!spare.release());
        spare.hold();
        spare.hold();
        assert!(spare.release() && !spare.release());
    }
}
