//! A layer-4 balancer as kube-proxy is one: it chooses a copy for each new connection, and leaves connections alone.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The copies that receive new connections.
#[derive(Debug, Default)]
pub(crate) struct Rotation {
    addresses: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
}

impl Rotation {
    /// The address for a new connection, each in turn. `None`: no copy is in rotation.
    pub(crate) fn pick(&self) -> Option<SocketAddr> {
        let addresses = self.lock();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        addresses.get(turn % addresses.len().max(1)).copied()
    }

    pub(crate) fn add(&self, address: SocketAddr) {
        self.lock().push(address);
    }

    pub(crate) fn remove(&self, address: SocketAddr) {
        self.lock().retain(|other| *other != address);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_take_turns_until_they_are_removed() {
        let (rotation, [a, b]) = (Rotation::default(), [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port))));
        assert_eq!(rotation.pick(), None);
        rotation.add(a);
        rotation.add(b);
        let picked: Vec<_> = (0..4).filter_map(|_| rotation.pick()).collect();
        assert_eq!((picked[0], picked[2]), (picked[2], picked[0]));
        assert_ne!(picked[0], picked[1]);
        rotation.remove(a);
        assert_eq!([rotation.pick(), rotation.pick()], [Some(b), Some(b)]);
    }
}
