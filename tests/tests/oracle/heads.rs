//! The responses in the bytes that a client has received.

use crate::{handler::Said, recording::Seen};

/// A response in a client's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) close: bool,
    /// The response is HTTP/1.0.
    pub(crate) is_10: bool,
    keep_alive: bool,
    pub(crate) upgraded: bool,
    /// Where the response starts, and where it ends; none if it is not complete.
    pub(crate) start: usize,
    pub(crate) end: Option<usize>,
}

/// The final responses, in order. Interim ones are skipped.
pub(crate) fn responses(bytes: &[u8], seen: &[Seen], ended: bool) -> Vec<Head> {
    let (mut heads, mut at) = (Vec::new(), 0);
    while let Some(length) = find(&bytes[at..], b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&bytes[at..at + length]).into_owned();
        if !text.starts_with("HTTP/1.") {
            break; // another protocol, whose 101 hyper has lost: `pipeline_flush`
        }
        let start = at;
        at += length + 4;
        let status: u16 = text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_default();
        if status == 100 {
            continue;
        }
        let method = seen.get(heads.len()).map_or("", |seen| seen.method.as_str());
        let head = head(&text, status, method, start);
        let left = &bytes[at..];
        let end = match body_length(&text, &head, method, left) {
            Length::Known(length) => (left.len() >= length).then_some(at + length),
            Length::UntilEnd => ended.then_some(bytes.len()),
            Length::Open => None,
        };
        let goes_on = !head.upgraded;
        heads.push(Head { end, ..head });
        match end {
            Some(end) if goes_on => at = end,
            _ => break,
        }
    }
    heads
}

enum Length {
    Known(usize),
    UntilEnd,
    /// Not complete.
    Open,
}

fn head(text: &str, status: u16, method: &str, start: usize) -> Head {
    let upgraded = status == 101 || (method == "CONNECT" && (200..300).contains(&status));
    Head {
        status,
        close: has_token(text, "connection", "close"),
        is_10: text.starts_with("HTTP/1.0"),
        keep_alive: has_token(text, "connection", "keep-alive"),
        upgraded,
        start,
        end: None,
    }
}

fn body_length(text: &str, head: &Head, method: &str, rest: &[u8]) -> Length {
    if head.upgraded {
        return Length::UntilEnd;
    }
    if method == "HEAD" || matches!(head.status, 204 | 304) {
        return Length::Known(0);
    }
    if has_token(text, "transfer-encoding", "chunked") {
        return match rest.starts_with(b"0\r\n\r\n") {
            true => Length::Known(5),
            false => find(rest, b"\r\n0\r\n\r\n").map_or(Length::Open, |at| Length::Known(at + 7)),
        };
    }
    match values(text, "content-length").next().and_then(|value| value.parse().ok()) {
        Some(length) => Length::Known(length),
        None => Length::UntilEnd,
    }
}

fn values<'t>(head: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    fields.filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn has_token(head: &str, name: &str, token: &str) -> bool {
    values(head, name).flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

/// The same bytes with every date masked.
pub(crate) fn without_dates(bytes: &[u8]) -> Vec<u8> {
    const FIELD: &[u8] = b"\r\ndate: ";
    const DATE: usize = "Thu, 01 Jan 1970 00:00:00 GMT".len();
    let mut masked = bytes.to_vec();
    for at in 0..masked.len().saturating_sub(FIELD.len() + DATE) {
        if masked[at] == b'\r' && masked[at..at + FIELD.len()].eq_ignore_ascii_case(FIELD) {
            masked[at + FIELD.len()..][..DATE].fill(b'*');
        }
    }
    masked
}

impl Head {
    /// Whether the client may not send a further request behind this response.
    pub(crate) fn asks_to_close(&self) -> bool {
        self.close || self.upgraded || (self.is_10 && !self.keep_alive)
    }

    /// What a handler says so that hyper writes this head. A handler that says close by itself leaves the version alone.
    pub(crate) fn said(&self, by_itself: bool) -> Said {
        let version_10 = self.is_10 && (!self.keep_alive || (self.close && !by_itself));
        Said { close: self.close, version_10 }
    }
}
