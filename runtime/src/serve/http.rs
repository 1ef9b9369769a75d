//! One connection's task: hyper speaks, the population's verdict decides how long.

use super::{activity::Verdict, population::Conn, service::Noted};
use crate::context;
use hyper::{
    Request, Response,
    body::{Body, Buf, Incoming},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite};

type BoxError = Box<dyn Error + Send + Sync>;
pub(super) type Http1<I, T> = http1::UpgradeableConnection<TokioIo<I>, Noted<T>>;

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

pin_project! {
    /// The task of an HTTP/1.1 connection.
    pub(super) struct Driver<I, T> where I: AsyncRead, I: AsyncWrite, I: Unpin, T: HttpService {
        conn: Arc<Conn>,
        registered: bool,
        #[pin]
        http: Http1<I, T>,
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static, T: HttpService> Driver<I, T> {
    pub(super) fn new(io: I, conn: Arc<Conn>, service: T, http1: &http1::Builder) -> Self {
        let http = http1.serve_connection(TokioIo::new(io), Noted::new(service, conn.clone())).with_upgrades();
        Self { conn, registered: false, http }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send + 'static, T: HttpService> Future for Driver<I, T> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if !std::mem::replace(this.registered, true) {
            this.conn.register(cx.waker());
        }
        // How a connection fails is between hyper and the client.
        if this.http.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match this.conn.verdict() {
            Verdict::GoOn => Poll::Pending,
            Verdict::End => Poll::Ready(()),
            Verdict::Finish => {
                // hyper closes at once if it is idle, else after the answer. Everything that the socket held has
                // just been read, so idle means that no request is there.
                this.http.as_mut().graceful_shutdown();
                this.http.as_mut().poll(cx).map(drop)
            }
        }
    }
}
