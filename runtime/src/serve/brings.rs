//! What a request brings that decides what its connection does next.

use hyper::{Method, Request, body::Body, upgrade::OnUpgrade};

/// What a request brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brings {
    pub(crate) length: Length,
    /// Whether its answer may hand the connection over to another protocol.
    pub(crate) upgrade: Option<Upgrade>,
}

/// How long a request is, its head included, if it has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// It has no body.
    None,
    /// So many bytes.
    AtLeast(u32),
    /// Its body's length is not known, or beyond counting.
    Unknown,
}

/// How it asks for another protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upgrade {
    Header,
    Connect,
}

impl Brings {
    pub(crate) fn of<B: Body>(request: &Request<B>) -> Self {
        let upgrade = request.extensions().get::<OnUpgrade>().map(|_| match *request.method() {
            Method::CONNECT => Upgrade::Connect,
            _ => Upgrade::Header,
        });
        let body = request.body();
        let length = match body.size_hint().exact() {
            _ if body.is_end_stream() => Length::None,
            Some(length) => {
                let length = length.saturating_add(shortest_head(request));
                u32::try_from(length).map_or(Length::Unknown, Length::AtLeast)
            }
            None => Length::Unknown,
        };
        Self { length, upgrade }
    }
}

/// The shortest head that this request can have had: taken too short, a body's last bytes are not waited for;
/// taken too long, a complete request would be cut.
fn shortest_head<B>(request: &Request<B>) -> u64 {
    let line = request.method().as_str().len() + request.uri().path().len() + " HTTP/1.1\r\n".len() + 1;
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ":\r\n".len());
    (line + headers.sum::<usize>() + "\r\n".len()) as u64
}
