//! The handler of both servers: does what the words of the request's path say, and records what it sees.
//!
//! | word | meaning |
//! |---|---|
//! | `early` (default) | drops the body unread |
//! | `half` | reads one frame of the body, and drops the rest |
//! | `all` | reads the body to its end |
//! | `keep` | a spawned task keeps the unread body until it is released |
//! | `keep-read` | a spawned task waits to be released, and reads the body |
//! | `late` | waits to be released before it responds |
//! | `len` (default), `chunk`, `stream`, `stream-len`, `none` | the response body: of known length, of unknown length, the same with its second half sent when released, with a `Content-Length`, none (204) |
//! | `yield` | with `stream`: the response body is pending once before its end, and wakes its task at once |
//! | `big` | the response body is larger than what fits into all buffers |
//! | `close` | the response says `Connection: close` |
//! | `up` | accepts the upgrade or the tunnel, and echoes |

use crate::recording::{BodyEnd, Recording, Stage};
use bytes::Bytes;
use http_body_util::{BodyExt, Channel, Full, channel, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode, Uri, Version,
    body::{Frame, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, HeaderValue, UPGRADE},
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
type Sender = channel::Sender<Bytes, Infallible>;

/// More than sockets and memory take of a response that is not read.
const BIG: usize = 1 << 19;
const HALVES: [&str; 2] = ["first half, ", "second half\n"];

/// What a request asks of the handler.
struct Words(Vec<String>);

impl Words {
    fn of(uri: &Uri) -> Self {
        let words = match uri.authority() {
            Some(authority) if uri.path().len() <= 1 => authority.host().split('.').map(str::to_owned).collect(),
            _ => uri.path().split('/').map(str::to_owned).collect(),
        };
        Self(words)
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|own| own == word)
    }
}

pub(crate) async fn handle(
    recording: Arc<Recording>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let ordinal = recording.begin(&request);
    let mut call = recording.call(ordinal);
    let words = Words::of(request.uri());
    let (mut parts, body) = request.into_parts();
    read(&recording, ordinal, &words, body).await;
    if words.has("late") {
        recording.stage(ordinal, Stage::Waiting);
        recording.gate().await;
    }
    let mut response = if words.has("up") {
        accept(&recording, ordinal, &parts.method, parts.extensions.remove())
    } else {
        respond(&recording, ordinal, &words)
    };
    if words.has("close") {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    recording.replay.apply(ordinal, &mut response);
    recording.responds(ordinal);
    call.is_over = true;
    Ok(response)
}

async fn read(recording: &Arc<Recording>, ordinal: usize, words: &Words, body: Incoming) {
    recording.stage(ordinal, Stage::Reading);
    if words.has("half") {
        read_frames(recording, ordinal, body, 1).await;
    } else if words.has("all") {
        read_frames(recording, ordinal, body, usize::MAX).await;
    } else if words.has("keep") {
        let recording = recording.clone();
        tokio::spawn(async move {
            recording.gate().await;
            drop(body);
        });
    } else if words.has("keep-read") {
        let recording = recording.clone();
        tokio::spawn(async move {
            recording.gate().await;
            read_frames(&recording, ordinal, body, usize::MAX).await;
        });
    }
}

async fn read_frames(recording: &Recording, ordinal: usize, mut body: Incoming, frames: usize) {
    for _ in 0..frames {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => recording.record(ordinal, |seen| seen.body.extend(&data)),
                Err(frame) => {
                    let trailers = format!("{:?}", frame.into_trailers().ok());
                    recording.record(ordinal, |seen| seen.trailers = trailers);
                }
            },
            Some(Err(error)) => return recording.body_end(ordinal, BodyEnd::Failed(error.to_string())),
            None => return recording.body_end(ordinal, BodyEnd::Whole),
        }
    }
    recording.body_end(ordinal, BodyEnd::Half);
}

fn respond(recording: &Arc<Recording>, ordinal: usize, words: &Words) -> Response<Body> {
    let gated = words.has("stream") || words.has("stream-len");
    if words.has("none") {
        let mut response = Response::new(Full::default().boxed_unsync());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    }
    if words.has("big") {
        return Response::new(Full::new(Bytes::from("big ".repeat(BIG / 4))).boxed_unsync());
    }
    if !gated && !words.has("chunk") {
        let text = format!("response {ordinal} to {}\n", words.0.join("/"));
        return Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    }
    let (sender, body) = Channel::new(4);
    tokio::spawn(send(recording.clone(), sender, gated));
    let mut response = Response::new(match words.has("yield") {
        true => Yielding { body, has_yielded: false }.boxed_unsync(),
        false => body.boxed_unsync(),
    });
    if words.has("stream-len") {
        response.headers_mut().insert(CONTENT_LENGTH, HALVES.concat().len().into());
    }
    response
}

async fn send(recording: Arc<Recording>, mut sender: Sender, gated: bool) {
    let [first, second] = HALVES.map(Bytes::from_static_str);
    if sender.send_data(first).await.is_ok() {
        if gated {
            recording.gate().await;
        }
        let _ = sender.send_data(second).await;
    }
}

/// A body that yields once before its end.
struct Yielding<B> {
    body: B,
    has_yielded: bool,
}

impl<B: hyper::body::Body + Unpin> hyper::body::Body for Yielding<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        if self.has_yielded {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if !matches!(polled, Poll::Ready(None)) {
            return polled;
        }
        self.has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

trait FromStaticStr {
    fn from_static_str(text: &'static str) -> Self;
}

impl FromStaticStr for Bytes {
    fn from_static_str(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes())
    }
}

/// Accepts an upgrade or a tunnel. A request that offers none is refused.
fn accept(recording: &Arc<Recording>, ordinal: usize, method: &Method, offer: Option<OnUpgrade>) -> Response<Body> {
    let mut response = Response::new(Full::default().boxed_unsync());
    let Some(offer) = offer else {
        *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
        return response;
    };
    tokio::spawn(echo(recording.clone(), ordinal, offer));
    if method != Method::CONNECT {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
    }
    response
}

async fn echo(recording: Arc<Recording>, ordinal: usize, offer: OnUpgrade) {
    let Ok(upgraded) = offer.await else {
        return recording.record(ordinal, |seen| seen.tunnel_end = "the upgrade failed");
    };
    recording.record(ordinal, |seen| seen.tunnel_end = "open");
    let (mut io, mut buffer) = (TokioIo::new(upgraded), [0; 1024]);
    loop {
        match io.read(&mut buffer).await {
            Ok(0) => break recording.record(ordinal, |seen| seen.tunnel_end = "closed"),
            Ok(length) => {
                recording.record(ordinal, |seen| seen.tunnel.extend(&buffer[..length]));
                let _ = io.write_all(&buffer[..length]).await;
            }
            Err(_) => break recording.record(ordinal, |seen| seen.tunnel_end = "failed"),
        }
    }
    let _ = io.shutdown().await;
}

/// Which responses of bare hyper are to say what responses of `serve` have said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Replay(pub(crate) Vec<Said>);

/// What a response has said of its connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) close: bool,
    /// The response is HTTP/1.0, and closes.
    pub(crate) version_10: bool,
}

impl Replay {
    fn apply(&self, ordinal: usize, response: &mut Response<Body>) {
        let Some(said) = self.0.get(ordinal) else { return };
        if said.close && !says_close(response) {
            response.headers_mut().append(CONNECTION, HeaderValue::from_static("close"));
        }
        if said.version_10 {
            *response.version_mut() = Version::HTTP_10;
        }
    }
}

fn says_close(response: &Response<Body>) -> bool {
    response.headers().get_all(CONNECTION).iter().any(|value| value == "close")
}
