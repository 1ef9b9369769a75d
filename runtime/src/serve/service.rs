//! What a server serves, and the service that notes where each of its requests begins.

use super::population::Conn;
use crate::context;
use hyper::{
    Request, Response,
    body::{Body, Buf, Incoming},
    service::Service,
    upgrade::OnUpgrade,
};
use std::{error::Error, future::Future, sync::Arc};

type BoxError = Box<dyn Error + Send + Sync>;

/// A hyper service that [`serve`](crate::serve) takes.
pub trait HttpService:
    Service<Request<Incoming>, Response = Response<Self::Body>, Error = Self::Failure, Future = Self::Answer>
    + Clone
    + Send
    + 'static
{
    /// The body of its answers.
    type Body: Body<Data = Self::Data, Error = Self::BodyError> + Send + 'static;
    /// The data of that body.
    type Data: Buf + Send;
    /// The error of that body.
    type BodyError: Into<BoxError>;
    /// The error of the service, which closes the connection.
    type Failure: Into<BoxError>;
    /// The future of an answer.
    type Answer: Future<Output = Result<Response<Self::Body>, Self::Failure>> + Send;
}

impl<S, B> HttpService for S
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Body = B;
    type Data = B::Data;
    type BodyError = B::Error;
    type Failure = S::Error;
    type Answer = S::Future;
}

/// What makes the service of one connection: every [`HttpService`], which is cloned, and those that want to know the
/// connection, or the context that they serve in, first.
pub trait ConnectionService<S>: Send + 'static {
    /// The service of one connection.
    type Service: HttpService;

    /// Makes the service of this connection.
    fn of(&self, stream: &S, context: &context::Context) -> Self::Service;
}

impl<S, T: HttpService> ConnectionService<S> for T {
    type Service = T;

    fn of(&self, _: &S, _: &context::Context) -> T {
        self.clone()
    }
}

/// A service of HTTP/1.1 that notes where each of its requests begins. Where an answer ends is nothing that it has to
/// know: its futures and bodies are the user's own, unwrapped.
pub(crate) struct Noted<S> {
    service: S,
    conn: Arc<Conn>,
}

// Nothing in it is ever pinned.
impl<S> Unpin for Noted<S> {}

impl<S> Noted<S> {
    pub(crate) fn new(service: S, conn: Arc<Conn>) -> Self {
        Self { service, conn }
    }
}

impl<S: Clone + Send + 'static> Noted<S> {
    #[cold]
    fn keep_offer(&self, request: &Request<Incoming>) {
        if let Some(upgrade) = request.extensions().get::<OnUpgrade>().cloned() {
            self.conn.server.offers.keep(&self.conn.activity, upgrade, &self.service);
        }
    }
}

impl<S: Service<Request<Incoming>> + Clone + Send + 'static> Service<Request<Incoming>> for Noted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    // A function of its own would copy the request once more.
    #[inline(always)]
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if self.conn.on_request(&request) {
            self.keep_offer(&request);
        }
        self.service.call(request)
    }
}
