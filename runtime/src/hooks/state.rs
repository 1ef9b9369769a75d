//! Values that `main` provides to hooks and checks.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

/// A value that `main` passed to [`Context::provide`](crate::Context::provide), read in a hook; derefs to the value.
///
/// A hook that takes a type that was never provided is skipped, and the report says so.
///
/// ```
/// # struct Queue;
/// # impl Queue { async fn flush(&self) {} }
/// #[graceful::shutdown_hook(order = 1)]
/// async fn flush(queue: graceful::State<Queue>) {
///     queue.flush().await;
/// }
/// ```
pub struct State<T: ?Sized>(Arc<T>);

impl<T: ?Sized> State<T> {
    /// The `Arc` that holds the value.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&&*self.0).finish()
    }
}

/// The provided values, one of each type; a second value of a type replaces the first.
#[derive(Default)]
pub(crate) struct Provided(RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Provided {
    pub(crate) fn put<T: Send + Sync + 'static>(&self, value: T) {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let replaced = values.insert(TypeId::of::<T>(), Arc::new(value));
        drop(values); // unlocks before the old value is dropped, whose `drop` may lock again
        drop(replaced);
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.get(&TypeId::of::<T>()).and_then(|value| value.clone().downcast().ok()).map(State)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_type_and_the_last_one_wins() {
        let provided = Provided::default();
        assert!(provided.get::<u8>().is_none());
        provided.put(1u8);
        provided.put(2u8);
        provided.put("text");
        assert_eq!(*provided.get::<u8>().unwrap(), 2);
        assert_eq!(*provided.get::<&str>().unwrap(), "text");
    }
}
