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

/// Whether this part of a head has a field `Upgrade`, but for HTTP/2: some clients offer that with each request, and no
/// server has to accept it.
pub(crate) fn asks_to_upgrade(head: &[u8]) -> bool {
    const FIELD: &[u8] = b"\nupgrade:";
    let fields = head.windows(FIELD.len()).enumerate().filter(|(_, field)| field.eq_ignore_ascii_case(FIELD));
    let mut values = fields.map(|(at, _)| head[at + FIELD.len()..].trim_ascii_start());
    values.any(|value| !value.get(..3).is_some_and(|value| value.eq_ignore_ascii_case(b"h2c")))
}

/// Whether these bytes look like the beginning of a request.
pub(crate) fn is_head(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let is_complete = line.len() < bytes.len();
    let Some(method) = line.split(|byte| *byte == b' ').next().filter(|method| method.len() < line.len()) else {
        return false;
    };
    let is_token = !method.is_empty() && method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
    is_token && (!is_complete || line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_told_from_the_rest_of_a_body() {
        for head in ["GET / HTTP/1.1\r\n", "POST /a?b=c HTTP/1.0\r\nhost: x\r\n\r\n", "M-SEARCH /half of it"] {
            assert!(is_head(head.as_bytes()), "{head}");
        }
        for rest in
            ["", "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "\r\n0\r\n", "GET", "HTTP/1.1 200 OK\r\n", "A b c\r\n", " x"]
        {
            assert!(!is_head(rest.as_bytes()), "{rest}");
        }
    }

    #[test]
    fn an_offer_of_h2c_is_no_upgrade() {
        assert!(asks_to_upgrade(b"GET / HTTP/1.1\r\nUPGRADE: websocket\r\n"));
        for head in ["GET / HTTP/1.1\r\nUpgrade: h2c\r\n", "GET /upgrade: HTTP/1.1\r\n", "x\nupgrade:"] {
            assert_eq!(asks_to_upgrade(head.as_bytes()), head.starts_with('x'), "{head}");
        }
    }
}
