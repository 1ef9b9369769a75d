//! Hand-written conversations of one client, by name.

use crate::{
    oddities,
    request::{
        Framing,
        Framing::{Chunked, Expect, ExpectChunked, Length, None, Trailer},
        Lasting::{Http10, Http10KeepAlive, Http11Close},
        Request, SMUGGLED, get, post,
    },
    script::Script,
};

const UPGRADE: &str = "connection: upgrade\r\nupgrade: echo\r\n";

pub(crate) type Conversation = (&'static str, Script);

pub(crate) fn next() -> Vec<u8> {
    get("next").whole()
}

fn upgrade(words: &str) -> Request {
    get(words).headers(UPGRADE)
}

fn connect(host: &str) -> Request {
    get(host).method("CONNECT")
}

/// One request, given as text, and another behind it.
pub(crate) fn text(request: &str) -> Script {
    let half = request.len() / 2;
    Script::new().part(&request[..half]).request(&request[half..]).request(next())
}

pub(crate) fn all() -> Vec<Conversation> {
    [
        pipelined(),
        lasting(),
        expecting(),
        half_closed(),
        kept(),
        slow(),
        upgraded(),
        tunneled(),
        oddities::odd(),
        oddities::broken(),
    ]
    .concat()
}

fn pipelined() -> Vec<Conversation> {
    let three = || [get("len").whole(), post("all/chunk", Chunked).whole(), get("stream").whole()];
    let [first, second] = post("early", Length).body();
    vec![
        ("three pipelined requests", Script::new().pipelined(three()).release().request(next())),
        (
            "a head in the packet of the request before",
            Script::new()
                .part([get("len").whole(), b"GET /len ".to_vec()].concat())
                .request(b"HTTP/1.1\r\nhost: x\r\n\r\n")
                .request(next()),
        ),
        ("behind an early response", Script::new().pipelined([post("early", Length).whole(), next()]).request(next())),
        (
            "behind an early response to chunks",
            Script::new().pipelined([post("early/chunk", Trailer).whole(), next()]).request(next()),
        ),
        (
            "behind a half-read body",
            Script::new()
                .part([post("half", Length).head(), first.clone()].concat())
                .pipelined([second.clone(), next()])
                .request(next()),
        ),
        (
            "a streamed response to an unread body",
            Script::new()
                .part(post("early/stream", Length).head())
                .part(first)
                .release()
                .request(second)
                .request(next()),
        ),
        (
            "a late response with another request waiting",
            Script::new().request(get("late/stream").whole()).request(next()).release().release().request(next()),
        ),
        (
            "a large unread body",
            Script::new()
                .part(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 65536\r\n\r\n")
                .request(&SMUGGLED.repeat(2000).as_bytes()[..65536])
                .request(next()),
        ),
        (
            "a head that needs no body",
            Script::new().request(get("len").method("HEAD").whole()).request(get("none").whole()).request(next()),
        ),
    ]
}

fn lasting() -> Vec<Conversation> {
    let behind = |first: Request| Script::new().pipelined([first.whole(), next()]).release().request(next());
    vec![
        ("behind a request that closes", behind(get("chunk").lasting(Http11Close))),
        ("behind a streamed response to one that closes", behind(get("stream").lasting(Http11Close))),
        ("behind a response that closes", behind(get("close/stream"))),
        ("behind an unread body whose response closes", behind(post("early/close", Length))),
        ("behind HTTP/1.0", behind(get("stream").lasting(Http10))),
        ("behind HTTP/1.0 with keep-alive", behind(get("stream-len").lasting(Http10KeepAlive))),
        (
            "behind a close-delimited response of HTTP/1.0 with keep-alive",
            behind(get("stream").lasting(Http10KeepAlive)),
        ),
        ("HTTP/1.0 behind HTTP/1.1", Script::new().pipelined([next(), get("len").lasting(Http10).whole(), next()])),
        ("a close among tokens", behind(get("len").headers("connection: Keep-Alive, Close\r\n"))),
        ("a keep-alive behind a close", behind(get("len").headers("connection: close\r\nconnection: keep-alive\r\n"))),
    ]
}

fn expecting() -> Vec<Conversation> {
    let declined = |framing| Script::new().request(post("early", framing).head()).request(next());
    let read = |words, framing: Framing| {
        let request = post(words, framing);
        let [first, second] = request.body();
        Script::new().part(request.head()).part(first).request(second).release().request(next())
    };
    let with_head = post("all", Expect);
    vec![
        ("a continue that is read", read("all", Expect)),
        ("chunks behind a continue", read("all", ExpectChunked)),
        ("a late continue", read("late/half", Expect)),
        ("a declined continue whose body comes", read("early", Expect)),
        ("a declined continue whose body does not come", declined(Expect)),
        ("declined chunks that do not come", declined(ExpectChunked)),
        ("a continue whose body does not wait", Script::new().request(with_head.whole()).request(next())),
        ("a continue of HTTP/1.0", text(&String::from_utf8_lossy(&post("all", Expect).lasting(Http10).whole()))),
        ("a continue without a body", text("GET /all HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\r\n")),
    ]
}

fn half_closed() -> Vec<Conversation> {
    let [first, _] = post("all", Length).body();
    vec![
        ("a half-close while idle", Script::new().request(next()).half_close()),
        ("a half-close before anything", Script::new().half_close()),
        ("a half-close behind a request", Script::new().request(get("late").whole()).half_close().release()),
        (
            "a half-close during a streamed response",
            Script::new().request(get("stream").whole()).half_close().release(),
        ),
        ("a half-close in a head", Script::new().request(next()).part(b"GET /next").half_close()),
        (
            "a half-close in a body that is read",
            Script::new().part(post("all", Length).head()).part(&first).half_close().release(),
        ),
        (
            "a half-close in a body that nobody reads",
            Script::new().part(post("early/stream", Length).head()).part(&first).half_close().release(),
        ),
    ]
}

/// The client is slow to read a response that fits into no buffer.
fn slow() -> Vec<Conversation> {
    let reads_late = |request: Request| Script::new().read(false).request(request.whole()).read(true).request(next());
    let kept = post("keep-read/big", Length);
    let [first, second] = kept.body();
    vec![
        ("a slow reader", reads_late(get("big"))),
        ("a slow reader whose request closes", reads_late(get("big").lasting(Http11Close))),
        ("a slow reader whose response closes", reads_late(get("big/close"))),
        ("a slow reader whose upgrade is declined", reads_late(upgrade("big"))),
        ("a slow reader whose upgrade is declined and whose response closes", reads_late(upgrade("big/close"))),
        (
            "a slow reader whose upgrade is declined and whose request closes",
            reads_late(get("big").lasting(Http11Close).headers("upgrade: echo\r\n")),
        ),
        ("a slow reader of HTTP/1.0", reads_late(get("big").lasting(Http10))),
        ("a slow reader of HTTP/1.0 with keep-alive", reads_late(get("big").lasting(Http10KeepAlive))),
        ("a slow reader of an early response", reads_late(post("early/big", Length))),
        (
            "a slow reader with another request waiting",
            Script::new().read(false).request(get("big").whole()).request(next()).read(true).request(next()),
        ),
        (
            "a slow reader whose body is kept",
            Script::new().read(false).part([kept.head(), first].concat()).request(second).release().read(true),
        ),
    ]
}

fn upgraded() -> Vec<Conversation> {
    let echoes = |script: Script| script.part(b"one").part(SMUGGLED).half_close();
    let head = upgrade("up").head();
    let (first, second) = head.split_at(20);
    let with_body = post("all/up", Expect).headers(UPGRADE);
    let [body, rest] = with_body.body();
    vec![
        ("an upgrade", echoes(Script::new().request(&head))),
        ("an upgrade in two packets", echoes(Script::new().part(first).request(second))),
        ("an upgrade behind a request", echoes(Script::new().request(next()).request(&head))),
        ("an upgrade in the packet of the request before", echoes(Script::new().pipelined([next(), head.clone()]))),
        ("an upgrade with bytes behind its head", echoes(Script::new().request([&head[..], b"zero"].concat()))),
        ("a late upgrade", echoes(Script::new().request(upgrade("late/up").head()).release())),
        ("an upgrade after a continue", echoes(Script::new().part(with_body.head()).part(body).request(rest))),
        ("an upgrade whose response closes", echoes(Script::new().request(upgrade("up/close").head()))),
        ("a declined upgrade", Script::new().request(upgrade("len").head()).request(next()).request(next())),
        (
            "a declined upgrade behind another",
            Script::new().pipelined([upgrade("chunk").head(), upgrade("len").head(), next()]),
        ),
        (
            "a declined upgrade with a streamed response",
            Script::new().request(upgrade("stream").head()).release().request(next()),
        ),
        ("a declined upgrade that closes", Script::new().request(upgrade("close").head()).request(next())),
        ("an upgrade behind a declined one", echoes(Script::new().request(upgrade("len").head()).request(&head))),
        ("an upgrade that nobody offers", Script::new().request(get("up").whole()).request(next())),
        ("an upgrade of HTTP/1.0", Script::new().request(upgrade("up").lasting(Http10).head()).request(next())),
    ]
}

fn tunneled() -> Vec<Conversation> {
    let echoes = |script: Script| script.part(b"one").part(SMUGGLED).half_close();
    let (open, declined) = (connect("up.x:443"), connect("close.x:443"));
    vec![
        ("a tunnel", echoes(Script::new().request(open.head()))),
        ("a tunnel over HTTP/1.0", echoes(Script::new().request(open.clone().lasting(Http10).head()))),
        ("a tunnel behind a request", echoes(Script::new().pipelined([next(), open.head()]))),
        ("a late tunnel", echoes(Script::new().request(connect("late.up.x:443").head()).release())),
        ("a tunnel whose request closes", echoes(Script::new().request(open.lasting(Http11Close).head()))),
        ("a tunnel that nobody opens", Script::new().request(connect("len.x:443").head()).request(next())),
        ("a declined tunnel", Script::new().request(declined.head()).request(next())),
        ("a declined tunnel over HTTP/1.0", Script::new().request(declined.lasting(Http10).head()).request(next())),
    ]
}

fn kept() -> Vec<Conversation> {
    vec![
        ("a kept body", keeps("keep", Length)),
        ("a kept body that is read later", keeps("keep-read", Length)),
        ("kept chunks that are read later", keeps("keep-read/stream", Trailer)),
        ("a kept body of nothing", keeps("keep", None)),
    ]
}

fn keeps(words: &str, framing: Framing) -> Script {
    let request = post(words, framing);
    let [first, second] = request.body();
    Script::new().part([request.head(), first].concat()).request(second).release().request(next()).release()
}
