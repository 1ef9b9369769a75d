//! Upgrades that were offered: how a connection whose offer was declined is taken back from hyper.
//!
//! hyper keeps the offer of a request that asked for an upgrade until the connection ends, and then hands the stream
//! over instead of closing it: to nobody, if the answer was no upgrade. So the offer is kept beside the service.

use super::activity::Activity;
use hyper::upgrade::{OnUpgrade, Parts};
use std::{
    any::Any,
    collections::HashMap,
    future::Future,
    pin::Pin,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// The latest offer of each connection that has made one: apart from the connections, as few have.
#[derive(Default)]
pub(crate) struct Offers(Mutex<HashMap<usize, Offer>>);

/// What it takes to go on with a connection.
pub(crate) struct Offer {
    upgrade: OnUpgrade,
    service: Box<dyn Any + Send>,
}

impl Offers {
    /// A request has arrived on this connection, with an offer for its service.
    pub(crate) fn keep<T: Clone + Send + 'static>(&self, of: &Activity, upgrade: OnUpgrade, service: &T) {
        let offer = Offer { upgrade, service: Box::new(service.clone()) };
        let before = self.lock().insert(key(of), offer);
        drop(before); // outside of the lock
    }

    /// What was kept for this connection.
    pub(crate) fn take(&self, of: &Activity) -> Option<Offer> {
        self.lock().remove(&key(of))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Offer>> {
        // Nothing of a user's runs under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offer {
    /// The stream that hyper has just handed over, what it has read of it, and the service.
    pub(crate) fn take_back<I, T>(mut self, cx: &mut Context<'_>) -> Option<(Parts<I>, T)>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
        T: 'static,
    {
        let Poll::Ready(Ok(upgraded)) = Pin::new(&mut self.upgrade).poll(cx) else { return None };
        Some((upgraded.downcast().ok()?, *self.service.downcast().ok()?))
    }
}

/// A connection's activity stays where it is for as long as the connection lives.
fn key(of: &Activity) -> usize {
    ptr::from_ref(of).addr()
}
