//! The services that a server takes.

use crate::context;
use hyper::{
    Request, Response,
    body::{Body, Buf, Incoming},
    service::Service,
};
use std::{error::Error, future::Future};

type BoxError = Box<dyn Error + Send + Sync>;

/// A hyper service that [`serve`](crate::serve) takes.
pub trait HttpService:
    Service<Request<Incoming>, Response = Response<Self::Body>, Error = Self::Failure, Future = Self::ResponseFuture>
    + Clone
    + Send
    + 'static
{
    /// The body of a response.
    type Body: Body<Data = Self::Data, Error = Self::BodyError> + Send + 'static;
    /// The data of the body.
    type Data: Buf + Send;
    /// The error of the body.
    type BodyError: Into<BoxError>;
    /// The error of the service, which closes the connection.
    type Failure: Into<BoxError>;
    /// The future of a response.
    type ResponseFuture: Future<Output = Result<Response<Self::Body>, Self::Failure>> + Send;
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
    type ResponseFuture = S::Future;
}

/// Makes the service of each connection: every [`HttpService`], which is cloned, and services that depend on the
/// connection or on the context.
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
