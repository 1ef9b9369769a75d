//! The cases, by section, with what the RFC has a server do.

use crate::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITIZED, PRIORITY,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, get, literal, post,
};
use std::fmt;

/// What a server does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// It goes on.
    Fine,
    /// It ends the connection, with one of these codes if it says one.
    Connection(&'static [u32]),
    /// It resets the stream with one of these codes, or ends the connection with one.
    Stream(&'static [u32]),
    /// The RFC leaves it open.
    Either,
}
use Expected::{Connection, Either, Fine, Stream};

/// Frames that a client sends.
pub(crate) struct Case {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) expected: Expected,
    pub(crate) bytes: Vec<u8>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RFC {}: {}", self.section, self.name)
    }
}

const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE: u32 = 6;
const REFUSED: u32 = 7;
const COMPRESSION: u32 = 9;

const PROTOCOL_ERROR: Expected = Connection(&[PROTOCOL]);
const SIZE_ERROR: Expected = Connection(&[FRAME_SIZE]);
const MALFORMED: Expected = Stream(&[PROTOCOL]);

fn case(
    section: &'static str,
    name: &'static str,
    expected: Expected,
    frames: impl IntoIterator<Item = Vec<u8>>,
) -> Case {
    Case { section, name, expected, bytes: frames.into_iter().flatten().collect() }
}

/// A request on stream 3 with this block.
fn request(block: impl AsRef<[u8]>) -> [Vec<u8>; 1] {
    [frame(HEADERS, END_STREAM | END_HEADERS, 3, block)]
}

/// The block of a GET with a further header.
fn with(name: &str, value: &str) -> Vec<u8> {
    [block("GET", "/now"), literal(name, value)].concat()
}

/// A block of these pseudo-headers and headers.
fn of(headers: &[(&str, &str)]) -> Vec<u8> {
    headers.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

fn update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
}

fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, 8u32.to_be_bytes())
}

fn data(stream: u32, flags: u8, payload: &str) -> Vec<u8> {
    frame(DATA, flags, stream, payload)
}

pub(crate) fn all() -> Vec<Case> {
    [framing(), streams(), types(), settings(), flow(), continuation(), messages(), hpack()]
        .into_iter()
        .flatten()
        .collect()
}

fn framing() -> Vec<Case> {
    let large = |length: usize| "a".repeat(length);
    vec![
        case("9113 4.1", "an unknown frame", Fine, [frame(0x16, 0, 0, [0; 8])]),
        case("9113 4.1", "an unknown frame on a stream", Fine, [frame(0x16, 0xff, 1, [0; 8])]),
        case("9113 4.1", "undefined flags", Fine, [frame(PING, 0xfe, 0, [1; 8])]),
        case("9113 4.1", "the reserved bit", Fine, [frame(PING, 0, 0x8000_0000, [1; 8])]),
        case("9113 4.2", "DATA of the largest size", Fine, [post(3), data(3, END_STREAM, &large(16384))]),
        case(
            "9113 4.2",
            "DATA that is too large",
            Stream(&[FRAME_SIZE]),
            [post(3), data(3, END_STREAM, &large(16385))],
        ),
        case(
            "9113 4.2",
            "HEADERS that are too large",
            SIZE_ERROR,
            [frame(HEADERS, 5, 3, [&block("GET", "/now")[..], &[0x40; 16384]].concat())],
        ),
        case(
            "9113 4.2",
            "an unknown frame that is too large",
            Stream(&[FRAME_SIZE]),
            [frame(0x16, 0, 0, large(16385))],
        ),
        case("9113 4.3", "a block that cannot be decoded", Connection(&[COMPRESSION]), request([0x80])),
        case(
            "9113 4.3",
            "PRIORITY inside of a block",
            PROTOCOL_ERROR,
            [frame(HEADERS, END_STREAM, 3, block("GET", "/now")), frame(PRIORITY, 0, 3, [0; 5])],
        ),
        case(
            "9113 4.3",
            "HEADERS of another stream inside of a block",
            PROTOCOL_ERROR,
            [frame(HEADERS, END_STREAM, 3, block("GET", "/now")), get(5)],
        ),
        case(
            "9113 5.5",
            "an unknown frame inside of a block",
            PROTOCOL_ERROR,
            [frame(HEADERS, END_STREAM, 3, block("GET", "/now")), frame(0x16, 0, 0, [0; 8])],
        ),
        case("9113 7", "RST_STREAM with an unknown code", Fine, [post(3), frame(RST_STREAM, 0, 3, [0xff; 4])]),
        case("9113 7", "GOAWAY with an unknown code", Either, [frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0xff, 0, 0, 0])]),
    ]
}

fn streams() -> Vec<Case> {
    let closed = Stream(&[STREAM_CLOSED, PROTOCOL]);
    let idle = Connection(&[PROTOCOL, STREAM_CLOSED]);
    vec![
        case("9113 5.1", "a request", Fine, [get(3)]),
        case(
            "9113 5.1",
            "a request with a body and a trailer",
            Fine,
            [post(3), data(3, 0, "body"), frame(HEADERS, 5, 3, literal("sum", "1"))],
        ),
        case("9113 5.1", "DATA on an idle stream", idle, [data(3, END_STREAM, "a")]),
        case("9113 5.1", "RST_STREAM on an idle stream", idle, [reset(3)]),
        case("9113 5.1", "WINDOW_UPDATE on an idle stream", idle, [update(3, 1)]),
        case(
            "9113 5.1",
            "CONTINUATION on an idle stream",
            idle,
            [frame(CONTINUATION, END_HEADERS, 3, block("GET", "/now"))],
        ),
        case("9113 5.1", "PRIORITY on an idle stream", Fine, [frame(PRIORITY, 0, 9, [0, 0, 0, 0, 16])]),
        case("9113 5.1", "DATA on a half-closed stream", closed, [data(1, END_STREAM, "a")]),
        case("9113 5.1", "HEADERS on a half-closed stream", closed, [frame(HEADERS, 5, 1, literal("a", "b"))]),
        case(
            "9113 5.1",
            "CONTINUATION on a half-closed stream",
            idle,
            [frame(CONTINUATION, END_HEADERS, 1, literal("a", "b"))],
        ),
        case("9113 5.1", "WINDOW_UPDATE on a half-closed stream", Fine, [update(1, 1)]),
        case("9113 5.1", "DATA behind RST_STREAM", Either, [post(3), reset(3), data(3, END_STREAM, "a")]),
        case(
            "9113 5.1",
            "HEADERS behind RST_STREAM",
            Either,
            [post(3), reset(3), frame(HEADERS, 5, 3, literal("a", "b"))],
        ),
        case(
            "9113 5.1",
            "CONTINUATION behind RST_STREAM",
            idle,
            [post(3), reset(3), frame(CONTINUATION, END_HEADERS, 3, literal("a", "b"))],
        ),
        case("9113 5.1", "DATA behind a response", Either, [get(3), get(5), data(3, END_STREAM, "a")]),
        case("9113 5.1", "WINDOW_UPDATE behind RST_STREAM", Fine, [post(3), reset(3), update(3, 1)]),
        case("9113 5.1", "a request whose stream is reset", Fine, [get(3), reset(3)]),
        case("9113 5.1.1", "an even stream", PROTOCOL_ERROR, [get(2)]),
        case("9113 5.1.1", "a lower stream than before", idle, [get(5), get(3)]),
        case("9113 5.1.1", "a stream twice", closed, [get(3), get(3)]),
        case(
            "9113 5.1.2",
            "more streams than allowed",
            Stream(&[PROTOCOL, REFUSED]),
            (0..250).map(|at| post(3 + 2 * at)),
        ),
        case(
            "9113 5.3.1",
            "a stream that depends on itself",
            Either,
            [frame(HEADERS, 0x25, 3, [&[0, 0, 0, 3, 1][..], &block("GET", "/now")].concat())],
        ),
        case(
            "9113 5.3.1",
            "PRIORITY of a stream that depends on itself",
            Either,
            [frame(PRIORITY, 0, 3, [0, 0, 0, 3, 1]), get(3)],
        ),
        case(
            "9113 8.1",
            "many requests that are reset",
            Either,
            (0..1200).flat_map(|at| [get(3 + 2 * at), reset(3 + 2 * at)]),
        ),
    ]
}

fn types() -> Vec<Case> {
    let padded = |padding: u8, block: &[u8]| [&[padding][..], block, &vec![0; usize::from(padding)]].concat();
    let get_block = block("GET", "/now");
    let flags = END_STREAM | END_HEADERS | PADDED;
    vec![
        case("9113 6.1", "DATA on stream 0", PROTOCOL_ERROR, [data(0, END_STREAM, "a")]),
        case("9113 6.1", "padded DATA", Fine, [post(3), frame(DATA, END_STREAM | PADDED, 3, padded(4, b"ab"))]),
        case(
            "9113 6.1",
            "DATA with more padding than payload",
            PROTOCOL_ERROR,
            [post(3), frame(DATA, END_STREAM | PADDED, 3, [9, 0, 0])],
        ),
        case(
            "9113 6.1",
            "padded DATA without a payload",
            Connection(&[PROTOCOL, FRAME_SIZE]),
            [post(3), frame(DATA, END_STREAM | PADDED, 3, [])],
        ),
        case("9113 6.1", "empty DATA", Fine, [post(3), data(3, 0, ""), data(3, END_STREAM, "")]),
        case("9113 6.2", "padded HEADERS", Fine, [frame(HEADERS, flags, 3, padded(6, &get_block))]),
        case(
            "9113 6.2",
            "HEADERS with more padding than payload",
            PROTOCOL_ERROR,
            [frame(HEADERS, flags, 3, [&[0xff][..], &get_block].concat())],
        ),
        case(
            "9113 6.2",
            "HEADERS with a priority",
            Fine,
            [frame(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 3, [&[0, 0, 0, 1, 9][..], &get_block].concat())],
        ),
        case(
            "9113 6.2",
            "HEADERS with half a priority",
            Connection(&[PROTOCOL, FRAME_SIZE]),
            [frame(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 3, [0, 0])],
        ),
        case("9113 6.2", "HEADERS on stream 0", PROTOCOL_ERROR, [get(0)]),
        case("9113 6.3", "PRIORITY on stream 0", PROTOCOL_ERROR, [frame(PRIORITY, 0, 0, [0; 5])]),
        case("9113 6.3", "PRIORITY of 4 bytes", Stream(&[FRAME_SIZE]), [frame(PRIORITY, 0, 1, [0; 4])]),
        case("9113 6.4", "RST_STREAM on stream 0", PROTOCOL_ERROR, [reset(0)]),
        case("9113 6.4", "RST_STREAM of 3 bytes", SIZE_ERROR, [post(3), frame(RST_STREAM, 0, 3, [0; 3])]),
        case("9113 6.4", "RST_STREAM of the request in flight", Fine, [reset(1)]),
        case(
            "9113 6.6",
            "PUSH_PROMISE of a client",
            PROTOCOL_ERROR,
            [frame(PUSH_PROMISE, END_HEADERS, 1, [&[0, 0, 0, 4][..], &get_block].concat())],
        ),
        case("9113 6.7", "PING", Fine, [frame(PING, 0, 0, *b"12345678")]),
        case("9113 6.7", "an ACK that nobody waits for", Fine, [frame(PING, ACK, 0, *b"12345678")]),
        case("9113 6.7", "PING on a stream", PROTOCOL_ERROR, [frame(PING, 0, 1, [0; 8])]),
        case("9113 6.7", "PING of 6 bytes", SIZE_ERROR, [frame(PING, 0, 0, [0; 6])]),
        case("9113 6.8", "GOAWAY", Either, [frame(GOAWAY, 0, 0, [0; 8])]),
        case("9113 6.8", "a request behind GOAWAY", Either, [frame(GOAWAY, 0, 0, [0; 8]), get(3)]),
        case("9113 6.8", "GOAWAY with an error", Either, [frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 2])]),
        case("9113 6.8", "GOAWAY on a stream", PROTOCOL_ERROR, [frame(GOAWAY, 0, 1, [0; 8])]),
        case("9113 6.8", "GOAWAY of 4 bytes", SIZE_ERROR, [frame(GOAWAY, 0, 0, [0; 4])]),
    ]
}

fn settings() -> Vec<Case> {
    vec![
        case("9113 6.5", "SETTINGS", Fine, [setting(3, 100)]),
        case("9113 6.5", "no settings", Fine, [frame(SETTINGS, 0, 0, [])]),
        case("9113 6.5", "an ACK with a payload", SIZE_ERROR, [frame(SETTINGS, ACK, 0, [0; 6])]),
        case("9113 6.5", "an ACK that nobody waits for", Either, [frame(SETTINGS, ACK, 0, [])]),
        case("9113 6.5", "SETTINGS on a stream", PROTOCOL_ERROR, [frame(SETTINGS, 0, 1, [0, 3, 0, 0, 0, 9])]),
        case("9113 6.5", "SETTINGS of 3 bytes", SIZE_ERROR, [frame(SETTINGS, 0, 0, [0; 3])]),
        case("9113 6.5.2", "ENABLE_PUSH of 2", PROTOCOL_ERROR, [setting(2, 2)]),
        case(
            "9113 6.5.2",
            "INITIAL_WINDOW_SIZE of 2 to the power of 31",
            Connection(&[FLOW_CONTROL]),
            [setting(4, 1 << 31)],
        ),
        case("9113 6.5.2", "MAX_FRAME_SIZE that is too small", PROTOCOL_ERROR, [setting(5, 16383)]),
        case("9113 6.5.2", "MAX_FRAME_SIZE that is too large", PROTOCOL_ERROR, [setting(5, 1 << 24)]),
        case("9113 6.5.2", "an unknown setting", Fine, [setting(0xff, 1), get(3)]),
        case(
            "9113 6.5.3",
            "a setting twice",
            Fine,
            [frame(SETTINGS, 0, 0, [0, 4, 0, 0, 0, 9, 0, 4, 0, 0, 0, 1]), get(3)],
        ),
        case("9113 6.5.3", "no table for headers", Fine, [setting(1, 0), get(3)]),
    ]
}

fn flow() -> Vec<Case> {
    let most = 0x7fff_ffff;
    vec![
        case("9113 6.9", "an increment of 0 of the connection", PROTOCOL_ERROR, [update(0, 0)]),
        case("9113 6.9", "an increment of 0 of a stream", MALFORMED, [post(3), update(3, 0)]),
        case("9113 6.9", "WINDOW_UPDATE of 3 bytes", SIZE_ERROR, [frame(WINDOW_UPDATE, 0, 0, [0; 3])]),
        case("9113 6.9.1", "a window of one byte", Fine, [setting(4, 1), get(3)]),
        case(
            "9113 6.9.1",
            "a window that grows byte by byte",
            Fine,
            [setting(4, 0), get(3), update(3, 1), update(3, 2), update(3, 100)],
        ),
        case(
            "9113 6.9.1",
            "the window of the connection overflows",
            Connection(&[FLOW_CONTROL]),
            [update(0, most), update(0, most)],
        ),
        case(
            "9113 6.9.1",
            "the window of a stream overflows",
            Stream(&[FLOW_CONTROL]),
            [post(3), update(3, most), update(3, most)],
        ),
        case("9113 6.9.2", "a window changes while a stream is open", Fine, [setting(4, 1), get(3), setting(4, 65535)]),
        case("9113 6.9.2", "a window becomes negative", Fine, [setting(4, 3), get(3), setting(4, 2), update(3, 100)]),
        case(
            "9113 6.9.2",
            "a setting makes a window overflow",
            Connection(&[FLOW_CONTROL]),
            [setting(4, 0), post(3), update(3, most), setting(4, most)],
        ),
        case(
            "9113 6.9",
            "more DATA than the window",
            Either,
            std::iter::once(post(3)).chain((0..80).map(|_| data(3, 0, &"a".repeat(16384)))),
        ),
    ]
}

fn continuation() -> Vec<Case> {
    let block = block("GET", "/now");
    let (first, second) = block.split_at(10);
    let begun = || frame(HEADERS, END_STREAM, 3, first);
    vec![
        case(
            "9113 6.10",
            "two CONTINUATIONs",
            Fine,
            [begun(), frame(CONTINUATION, 0, 3, &second[..5]), frame(CONTINUATION, END_HEADERS, 3, &second[5..])],
        ),
        case(
            "9113 6.10",
            "CONTINUATION behind a complete block",
            PROTOCOL_ERROR,
            [get(3), frame(CONTINUATION, END_HEADERS, 3, literal("a", "b"))],
        ),
        case(
            "9113 6.10",
            "CONTINUATION on stream 0",
            PROTOCOL_ERROR,
            [begun(), frame(CONTINUATION, END_HEADERS, 0, second)],
        ),
        case(
            "9113 6.10",
            "CONTINUATION of another stream",
            PROTOCOL_ERROR,
            [begun(), frame(CONTINUATION, END_HEADERS, 5, second)],
        ),
        case(
            "9113 6.10",
            "CONTINUATION behind a complete CONTINUATION",
            PROTOCOL_ERROR,
            [
                begun(),
                frame(CONTINUATION, END_HEADERS, 3, second),
                frame(CONTINUATION, END_HEADERS, 3, literal("a", "b")),
            ],
        ),
        case(
            "9113 6.10",
            "CONTINUATION behind DATA",
            PROTOCOL_ERROR,
            [post(3), data(3, 0, "a"), frame(CONTINUATION, END_HEADERS, 3, literal("a", "b"))],
        ),
        case(
            "9113 6.10",
            "a flood of CONTINUATIONs",
            Either,
            std::iter::once(begun()).chain((0..2000).map(|_| frame(CONTINUATION, 0, 3, [0; 0]))),
        ),
        case("9113 6.10", "a block without its end", Either, [begun()]),
    ]
}

fn messages() -> Vec<Case> {
    let get = [(":method", "GET"), (":scheme", "http"), (":path", "/now")];
    let body = |length: &str| {
        frame(HEADERS, END_HEADERS, 3, [block("POST", "/now"), literal("content-length", length)].concat())
    };
    vec![
        case(
            "9113 8.1",
            "HEADERS behind HEADERS without the end of the stream",
            MALFORMED,
            [post(3), frame(HEADERS, END_HEADERS, 3, literal("a", "b"))],
        ),
        case("9113 8.2.1", "a name in upper case", MALFORMED, request(with("X-A", "b"))),
        case("9113 8.2.1", "a name with a space", MALFORMED, request(with("x a", "b"))),
        case("9113 8.2.1", "a value with a line end", MALFORMED, request(with("a", "b\r\nc: d"))),
        case("9113 8.2.2", "Connection", MALFORMED, request(with("connection", "close"))),
        case("9113 8.2.2", "Transfer-Encoding", MALFORMED, request(with("transfer-encoding", "chunked"))),
        case("9113 8.2.2", "Keep-Alive", MALFORMED, request(with("keep-alive", "1"))),
        case("9113 8.2.2", "Upgrade", MALFORMED, request(with("upgrade", "x"))),
        case("9113 8.2.2", "TE of trailers", Fine, request(with("te", "trailers"))),
        case("9113 8.2.2", "TE of something else", MALFORMED, request(with("te", "gzip"))),
        case("9113 8.2.3", "two cookies", Fine, request([with("cookie", "a=b"), literal("cookie", "c=d")].concat())),
        case("9113 8.3", "an unknown pseudo-header", MALFORMED, request(with(":x", "y"))),
        case("9113 8.3", "a pseudo-header of responses", MALFORMED, request(with(":status", "200"))),
        case(
            "9113 8.3",
            "a pseudo-header behind a header",
            MALFORMED,
            request(of(&[get[0], get[1], ("a", "b"), get[2]])),
        ),
        case(
            "9113 8.3",
            "a pseudo-header in a trailer",
            MALFORMED,
            [post(3), frame(HEADERS, 5, 3, literal(":method", "GET"))],
        ),
        case("9113 8.3.1", "an empty path", MALFORMED, request(of(&[get[0], get[1], (":path", "")]))),
        case("9113 8.3.1", "no method", MALFORMED, request(of(&get[1..]))),
        case("9113 8.3.1", "no scheme", MALFORMED, request(of(&[get[0], get[2]]))),
        case("9113 8.3.1", "no path", MALFORMED, request(of(&get[..2]))),
        case("9113 8.3.1", "two methods", MALFORMED, request(of(&[get[0], get[0], get[1], get[2]]))),
        case("9113 8.3.1", "two schemes", MALFORMED, request(of(&[get[0], get[1], get[1], get[2]]))),
        case("9113 8.3.1", "two paths", MALFORMED, request(of(&[get[0], get[1], get[2], get[2]]))),
        case("9113 8.3.1", "no authority", Fine, request(of(&get))),
        case("9113 8.3.1", "an asterisk", Fine, request(of(&[(":method", "OPTIONS"), get[1], (":path", "*")]))),
        case("9113 8.5", "CONNECT with a path", MALFORMED, request(block("CONNECT", "/now"))),
        case(
            "9113 8.1.1",
            "a body that is shorter than its length",
            MALFORMED,
            [body("9"), data(3, END_STREAM, "abc")],
        ),
        case("9113 8.1.1", "a body that is longer than its length", MALFORMED, [body("1"), data(3, END_STREAM, "abc")]),
        case(
            "9113 8.1.1",
            "two frames that are longer than the length",
            MALFORMED,
            [body("3"), data(3, 0, "ab"), data(3, END_STREAM, "cd")],
        ),
        case("9113 8.1.1", "a length that is no number", MALFORMED, [body("x"), data(3, END_STREAM, "abc")]),
        case("9113 8.1.1", "a body of its length", Fine, [body("3"), data(3, END_STREAM, "abc")]),
        case(
            "9113 10.5.1",
            "a list of 30 kB",
            Either,
            request(
                (0..150).flat_map(|_| literal("a", &"b".repeat(100))).chain(block("GET", "/now")).collect::<Vec<_>>(),
            ),
        ),
    ]
}

fn hpack() -> Vec<Case> {
    let error = Connection(&[COMPRESSION]);
    let broken = |behind: &[u8]| request([&block("GET", "/now")[..], behind].concat());
    vec![
        case("7541 2.3.3", "an index outside of the tables", error, broken(&[0xff, 0x80, 0x01])),
        case(
            "7541 4.2",
            "a table that is larger than allowed",
            error,
            request([&[0x3f, 0xe2, 0x1f][..], &block("GET", "/now")].concat()),
        ),
        case("7541 4.2", "a change of the table behind a header", error, broken(&[0x20])),
        case("7541 4.2", "no table", Fine, request([&[0x20][..], &block("GET", "/now")].concat())),
        case(
            "7541 5.1",
            "an integer that is too long",
            error,
            broken(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ),
        case("7541 5.2", "padding of more than 7 bits", error, broken(&[0x00, 0x01, b'a', 0x82, 0x1f, 0xff])),
        case("7541 5.2", "padding of zeros", error, broken(&[0x00, 0x01, b'a', 0x81, 0x18])),
        case(
            "7541 5.2",
            "the end of a string inside of it",
            error,
            broken(&[0x00, 0x01, b'a', 0x84, 0xff, 0xff, 0xff, 0xff]),
        ),
        case("7541 5.2", "a string without its end", error, broken(&[0x00, 0x01, b'a', 0x7f])),
        case("7541 6.1", "index 0", error, broken(&[0x80])),
        case(
            "7541 6.2.1",
            "a header that the table keeps",
            Fine,
            [
                frame(HEADERS, 5, 3, [&block("GET", "/now")[..], &[0x40, 1, b'a', 1, b'b']].concat()),
                frame(HEADERS, 5, 5, [&block("GET", "/now")[..], &[0xbe]].concat()),
            ],
        ),
    ]
}
