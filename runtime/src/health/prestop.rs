//! `/prestop`: begins the shutdown, and responds when grace is over. For a preStop hook of Kubernetes:
//!
//! ```yaml
//! lifecycle:
//!   preStop:
//!     httpGet:
//!       path: /prestop
//!       port: health
//!       httpHeaders: [{ name: X-Graceful-Token, value: "the value of GRACEFUL_PRESTOP_TOKEN" }]
//! ```
//!
//! Disabled unless there is a token. The request takes as long as grace, and that time is part of the pod's termination
//! grace period. Grace is not repeated when SIGTERM follows.

use super::response::plain;
use crate::{cause::Cause, context::Context, phase::Phase, shared::Request as LifecycleRequest};
use hyper::{Method, Request, Response, StatusCode};
use std::future::Future;

/// The header that carries the token.
const TOKEN: &str = "x-graceful-token";

/// What a request to the health server means for `/prestop`.
pub(super) enum Prestop {
    /// The request is for another path, or there is no token.
    Other,
    /// The request is refused with this response.
    Refused(Box<Response<String>>),
    /// The shutdown begins.
    Begin,
}

impl Prestop {
    pub(super) fn of<B>(token: Option<&str>, request: &Request<B>) -> Self {
        let Some(token) = token.filter(|_| request.uri().path() == "/prestop") else {
            return Self::Other;
        };
        // A preStop hook sends GET (`httpGet`); scripts may send POST.
        if !matches!(*request.method(), Method::GET | Method::POST) {
            return Self::Refused(Box::new(plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and POST are allowed\n".into(),
            )));
        }
        let sent = request.headers().get(TOKEN).map_or(&b""[..], |value| value.as_bytes());
        if !equal_in_constant_time(token.as_bytes(), sent) {
            let text = format!("the header {TOKEN} does not carry the value of GRACEFUL_PRESTOP_TOKEN\n");
            return Self::Refused(Box::new(plain(StatusCode::FORBIDDEN, text)));
        }
        Self::Begin
    }
}

/// Begins the shutdown, and responds when grace is over.
pub(super) fn begin(context: &Context) -> impl Future<Output = Response<String>> + Send + use<> {
    context.0.request(LifecycleRequest::Stop(Cause::Requested("/prestop was called".to_owned())));
    let over = context.reached(Phase::Draining);
    async move {
        over.await;
        plain(StatusCode::OK, "grace is over\n".to_owned())
    }
}

/// Compares two texts in a time that does not depend on where they differ.
fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(token: Option<&str>, method: &str, path: &str, given: Option<&str>) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(given) = given {
            request = request.header(TOKEN, given);
        }
        match Prestop::of(token, &request.body(()).unwrap()) {
            Prestop::Other => 404,
            Prestop::Refused(response) => response.status().as_u16(),
            Prestop::Begin => 200,
        }
    }

    #[test]
    fn only_a_request_with_the_token_begins_the_shutdown() {
        assert_eq!(status(None, "GET", "/prestop", Some("")), 404);
        assert_eq!(status(Some("secret"), "GET", "/readyz", Some("secret")), 404);
        assert_eq!(status(Some("secret"), "GET", "/prestop", None), 403);
        assert_eq!(status(Some("secret"), "GET", "/prestop", Some("secres")), 403);
        assert_eq!(status(Some("secret"), "PUT", "/prestop", Some("secret")), 405);
        assert_eq!(status(Some("secret"), "GET", "/prestop", Some("secret")), 200);
        assert_eq!(status(Some("secret"), "POST", "/prestop", Some("secret")), 200);
    }
}
