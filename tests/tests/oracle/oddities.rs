//! Hand-written conversations with requests that are unusual, and with what hyper refuses.

use crate::{
    conversations::{Conversation, next, text},
    request::{
        Framing::{Chunked, Length},
        Lasting::Http10,
        Request, SMUGGLED, get, post,
    },
    script::Script,
};

pub(crate) fn odd() -> Vec<Conversation> {
    let lf = Request { bare_lf: true, ..post("all", Length) };
    vec![
        ("bare LF", Script::new().part(lf.head()).request(lf.body().concat()).request(next())),
        ("obs-fold", text("GET /len HTTP/1.1\r\nhost: x\r\nfolded: one\r\n two\r\n\r\n")),
        ("a lower-case method", text("get /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a method with digits", text("M2 /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a method with a hyphen", text("M-SEARCH /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a method of other tokens", text("!#$%&'*+.^_`|~ /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a leading CRLF", text("\r\n\r\nGET /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a leading LF", text("\nGET /len HTTP/1.1\r\nhost: x\r\n\r\n")),
        (
            "a CRLF behind a body",
            Script::new().request([&post("all", Length).whole()[..], b"\r\n"].concat()).request(next()),
        ),
        (
            "a CRLF behind an unread body, by itself",
            Script::new().request(post("early", Length).whole()).part(b"\r\n").request(next()),
        ),
        ("an absolute target", text("GET http://x/len?query=1 HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("an asterisk", text("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("white space around a value", text("GET /len HTTP/1.1\r\nhost:  \t x \t \r\n\r\n")),
        ("upper-case headers", text("GET /len HTTP/1.1\r\nHOST: x\r\nX-Odd-Case: 1\r\n\r\n")),
        (
            "two equal lengths",
            text("POST /all HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab"),
        ),
        (
            "a chunk with an extension",
            text("POST /all HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\n\r\n"),
        ),
        ("no body of length 0", text("POST /all HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")),
        ("no chunks", text("POST /early HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")),
    ]
}

/// What hyper refuses, or what its settings decide.
pub(crate) fn broken() -> Vec<Conversation> {
    let chunked = "POST /all HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n";
    let smuggled = SMUGGLED;
    vec![
        ("many spaces", text("GET   /len   HTTP/1.1\r\nhost: x\r\n\r\n")),
        ("a space in front of a colon", text("GET /len HTTP/1.1\r\nhost : x\r\n\r\n")),
        ("a header without a colon", text("GET /len HTTP/1.1\r\nhost: x\r\nnonsense\r\n\r\n")),
        ("an invalid header name", text("GET /len HTTP/1.1\r\nho st: x\r\n\r\n")),
        ("an unknown version", text("GET /len HTTP/3.1\r\nhost: x\r\n\r\n")),
        ("nonsense", text("\u{1}\u{2}\u{3}\r\n\r\n")),
        ("no target", text("GET\r\nhost: x\r\n\r\n")),
        // With the feature `http2`, which `tonic` enables, `serve` speaks HTTP/2 where this bare hyper does not.
        #[cfg(not(feature = "tonic"))]
        ("the preface of HTTP/2", text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        ("two different lengths", text("POST /all HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc")),
        ("a negative length", text("POST /all HTTP/1.1\r\ncontent-length: -2\r\n\r\n")),
        ("a length and chunks", text(&format!("{chunked}content-length: 5\r\n\r\n2\r\nab\r\n0\r\n\r\n"))),
        ("chunks that are not last", text("POST /all HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n")),
        ("a broken chunk that is read", text(&format!("{chunked}\r\nzz\r\n{smuggled}"))),
        (
            "a broken chunk that nobody reads",
            text(&format!("{}\r\nzz\r\n{smuggled}", chunked.replace("all", "early/stream"))),
        ),
        ("a chunk without its end", text(&format!("{chunked}\r\n2\r\nabc\r\n0\r\n\r\n{smuggled}"))),
        (
            "nonsense behind a request",
            Script::new().pipelined([get("stream").whole(), b"\0\0\r\n\r\n".to_vec()]).release().request(next()),
        ),
        ("a body of HTTP/1.0 in chunks", text(&String::from_utf8_lossy(&post("all", Chunked).lasting(Http10).whole()))),
        (
            "a GET with a body",
            Script::new().request(Request { framing: Length, ..get("early") }.whole()).request(next()),
        ),
    ]
}
