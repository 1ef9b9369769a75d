//! The health server's input, over a stream in memory and on a clock that moves when nothing else does.

use graceful::__fuzz::HealthServer;
use httparse::{EMPTY_HEADER, Header, Request, Response, Status};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    runtime::Builder,
    task::yield_now,
    time::timeout,
};

/// Longer than any timeout of the health server: its pings, and the wait for their response.
const PATIENCE: Duration = Duration::from_secs(60);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// As many as hyper takes.
const HEADERS: usize = 100;

/// What a connection has come to.
#[derive(Debug, PartialEq, Eq)]
struct Exchange {
    received: Vec<u8>,
    begins_the_shutdown: bool,
}

/// Sends these bytes in pieces of this length, and reads until the server closes.
fn exchange(token: Option<&str>, bytes: &[u8], piece: usize, half_close: bool) -> Exchange {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut server = HealthServer::new(token.map(str::to_owned));
        let (client, stream) = duplex(1 << 16);
        server.admit(stream);
        let (mut reader, mut writer) = tokio::io::split(client);
        let send = async {
            for piece in bytes.chunks(piece) {
                if writer.write_all(piece).await.is_err() {
                    return; // the server has closed
                }
                for _ in 0..4 {
                    yield_now().await;
                }
            }
            if half_close {
                let _ = writer.shutdown().await;
            }
        };
        let mut received = Vec::new();
        let receive = async {
            let ended = timeout(PATIENCE, reader.read_to_end(&mut received)).await.is_ok();
            let requests = server.lifecycle_requests();
            server.drain();
            let ended = ended || timeout(PATIENCE, reader.read_to_end(&mut received)).await.is_ok();
            assert!(ended, "the connection stays open");
            requests
        };
        let ((), requests) = tokio::join!(send, receive);
        assert!(requests <= 1, "{requests} requests to the lifecycle");
        Exchange { received, begins_the_shutdown: requests == 1 }
    })
}

/// A request that is complete for hyper's parser.
struct Complete {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Complete {
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut request = Request::new(&mut headers);
        let Ok(Status::Complete(_)) = request.parse(bytes) else { return None };
        let owned = |header: &Header<'_>| (header.name.to_ascii_lowercase(), header.value.to_vec());
        Some(Self {
            method: request.method?.to_owned(),
            target: request.path?.to_owned(),
            headers: request.headers.iter().map(owned).collect(),
        })
    }

    /// The path of the target, of its absolute form, too.
    fn path(&self) -> &str {
        let target = self.target.split(['?', '#']).next().unwrap_or_default();
        match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |path| &rest[path..]),
            _ => target,
        }
    }

    /// Whether nothing but the method and the target decides the response.
    fn is_plain(&self) -> bool {
        let decides = ["transfer-encoding", "content-length", "expect", "upgrade", "connection"];
        !self.headers.iter().any(|(name, _)| decides.contains(&name.as_str()))
            && self.target.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?=&".contains(&byte))
    }
}

/// The only response in these bytes: its status.
fn response(received: &[u8], is_head: bool) -> u16 {
    let shown = received.escape_ascii();
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut response = Response::new(&mut headers);
    let Ok(Status::Complete(head)) = response.parse(received) else { panic!("no whole head: {shown}") };
    let status = response.code.unwrap();
    let is = |header: &&Header<'_>, name: &str| header.name.eq_ignore_ascii_case(name);
    let length = response.headers.iter().find(|header| is(header, "content-length"));
    let length = length.map_or(0, |length| std::str::from_utf8(length.value).unwrap().parse().unwrap());
    let body = if is_head { 0 } else { length };
    assert_eq!(received.len() - head, body, "not one whole response: {shown}");
    assert!(status >= 200, "{shown}");
    status
}

/// Whether the bytes have the end of a head, and are not the preface of HTTP/2. Empty lines may stand before a head.
fn has_a_head(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
    let has = |end: &[u8]| bytes[start..].windows(end.len()).any(|window| window == end);
    !bytes[start..].starts_with(b"PRI ") && (has(b"\r\n\r\n") || has(b"\n\n"))
}

/// hyper's dates differ.
fn without_date(received: &[u8]) -> Vec<u8> {
    let lines = received.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"date: ")).flatten().copied().collect()
}

/// Bytes to the health server, the first of which says how the others are cut. However that is, the connection ends by
/// itself; over HTTP/1.1 it gets one whole response or none, a complete request gets one, and how it is cut changes nothing.
/// Without a token nothing begins the shutdown.
pub fn health(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let (piece, half_close) = (1 + usize::from(cut & 0x7f), cut & 0x80 != 0);
    let exchanged = exchange(None, bytes, piece, half_close);
    assert!(!exchanged.begins_the_shutdown);
    if half_close || bytes.windows(PREFACE.len()).any(|window| window == PREFACE) {
        return; // hyper gives up a request whose client half-closes, and refuses none with a preface behind it
    }
    checked(bytes, &exchanged.received);
    if !has_a_head(bytes) {
        return; // hyper refuses it or waits for its end, which depends on how it is cut
    }
    let whole = exchange(None, bytes, usize::MAX, false);
    let (whole, pieces) = (without_date(&whole.received), without_date(&exchanged.received));
    assert!(whole == pieces, "in one piece: {}\nin pieces: {}", whole.escape_ascii(), pieces.escape_ascii());
}

fn checked(bytes: &[u8], received: &[u8]) {
    let request = Complete::of(bytes);
    if received.is_empty() {
        assert!(request.is_none(), "no response");
        return;
    }
    let status = response(received, request.as_ref().is_some_and(|request| request.method == "HEAD"));
    let Some(request) = request.filter(Complete::is_plain) else { return };
    let is_probe = matches!(request.method.as_str(), "GET" | "HEAD");
    let expected = match request.path() {
        "/livez" if is_probe => 200,
        "/readyz" | "/startupz" | "/healthz" | "/health" if is_probe => 503,
        "/livez" | "/readyz" | "/startupz" | "/healthz" | "/health" => 405,
        _ => return,
    };
    assert_eq!(status, expected, "{}", received.escape_ascii());
}

/// A token, and behind a NUL the bytes of a request. The shutdown begins if and only if a complete GET or POST for
/// `/prestop` carries the token in its first header of that name.
pub fn prestop(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (Some(Ok(token)), Some(bytes)) = (parts.next().map(std::str::from_utf8), parts.next()) else { return };
    if token.is_empty() || bytes.starts_with(PREFACE) {
        return; // the settings refuse an empty token; HTTP/2 has no `/prestop`
    }
    let exchanged = exchange(Some(token), bytes, usize::MAX, false);
    let request = Complete::of(bytes);
    let expected = request.as_ref().is_some_and(|request| {
        let sent = request.headers.iter().find(|(name, _)| name == "x-graceful-token");
        let is_token = sent.is_some_and(|(_, value)| value.trim_ascii() == token.as_bytes());
        request.path() == "/prestop" && is_token && matches!(request.method.as_str(), "GET" | "POST")
    });
    let received = &exchanged.received;
    let status = (!received.is_empty()).then(|| {
        let is_head = request.as_ref().is_some_and(|request| request.method == "HEAD");
        response(received, is_head)
    });
    // hyper refuses more than its parser: bodies of a contradictory length, for example.
    assert!(!exchanged.begins_the_shutdown || expected, "{}", received.escape_ascii());
    assert!(
        exchanged.begins_the_shutdown == expected || !request.is_some_and(|request| request.is_plain()),
        "the token is right, and is refused: {}",
        received.escape_ascii()
    );
    assert_eq!(exchanged.begins_the_shutdown, status == Some(200) && received.ends_with(b"grace is over\n"));
}
