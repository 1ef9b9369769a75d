//! Lets a call observe the drain.

use crate::context::{self, Context};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// Resolves when the drain begins, so that an endless stream can end and its client can continue with another replica.
///
/// Requests that come through [`serve`](super::serve) have it among their extensions; [`of`](Self::of) finds it.
///
/// ```
/// use graceful::tonic::Draining;
/// use tonic::{Request, Response, Status};
/// # use tokio_stream::wrappers::ReceiverStream;
///
/// // a server-streaming method
/// async fn prices(request: Request<()>) -> Result<Response<ReceiverStream<Result<u64, Status>>>, Status> {
///     let draining = Draining::of(&request);
///     let (prices, stream) = tokio::sync::mpsc::channel(1);
///     tokio::spawn(async move {
///         for price in 0.. {
///             tokio::select! {
///                 _ = draining.cancelled() => break, // or say so: Status::unavailable("draining")
///                 sent = prices.send(Ok(price)) => if sent.is_err() { break },
///             }
///         }
///     });
///     Ok(Response::new(ReceiverStream::new(stream)))
/// }
/// # let _ = prices;
/// ```
#[derive(Debug, Clone)]
pub struct Draining(CancellationToken);

impl Draining {
    /// The drain of the server that received the request; else that of the process; else, in a test without either, one
    /// that never begins.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        let own = request.extensions().get::<Self>().cloned();
        own.or_else(|| context::try_context().map(|context| Self::in_context(&context)))
            .unwrap_or_else(|| Self(CancellationToken::new()))
    }

    /// The drain of this context.
    pub fn in_context(context: &Context) -> Self {
        Self(context.drain_token())
    }

    /// Resolves when the drain begins.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled()
    }

    /// Whether the drain has begun.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A token that is cancelled when the drain begins, for code that takes tokio-util's token, such as
    /// `stream.take_until(draining.token().cancelled_owned())`.
    pub fn token(&self) -> CancellationToken {
        // A child token: cancelling it does not affect other calls.
        self.0.child_token()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_called_by_a_test_never_drains() {
        assert!(!Draining::of(&tonic::Request::new(())).is_cancelled());
    }
}
