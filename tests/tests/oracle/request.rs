//! The grammar of well-formed requests. Every body is made of requests, so that each byte of a body that is taken for a
//! head is executed and seen.

/// How the body of a request is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length,
    Chunked,
    /// Chunked, with a trailer.
    Trailer,
    /// `Content-Length` and `Expect: 100-continue`.
    Expect,
    /// Chunked, and `Expect: 100-continue`.
    ExpectChunked,
}

/// The version, and what the request says of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    Http11,
    Http11Close,
    Http10,
    Http10KeepAlive,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// What the handler is to do.
    pub(crate) words: String,
    pub(crate) framing: Framing,
    pub(crate) lasting: Lasting,
    /// Further header lines.
    pub(crate) headers: &'static str,
    /// Line ends are bare LF.
    pub(crate) bare_lf: bool,
}

/// What a body is made of: a request, twice.
pub(crate) const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";

pub(crate) fn get(words: &str) -> Request {
    Request {
        method: "GET",
        words: words.to_owned(),
        framing: Framing::None,
        lasting: Lasting::Http11,
        headers: "",
        bare_lf: false,
    }
}

pub(crate) fn post(words: &str, framing: Framing) -> Request {
    Request { method: "POST", framing, ..get(words) }
}

impl Request {
    pub(crate) fn lasting(self, lasting: Lasting) -> Self {
        Self { lasting, ..self }
    }

    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn headers(self, headers: &'static str) -> Self {
        Self { headers, ..self }
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let (version, connection) = match self.lasting {
            Lasting::Http11 => ("1.1", ""),
            Lasting::Http11Close => ("1.1", "connection: close\r\n"),
            Lasting::Http10 => ("1.0", ""),
            Lasting::Http10KeepAlive => ("1.0", "connection: keep-alive\r\n"),
        };
        let framing = match self.framing {
            Framing::None => String::new(),
            Framing::Length => format!("content-length: {}\r\n", 2 * SMUGGLED.len()),
            Framing::Expect => format!("content-length: {}\r\nexpect: 100-continue\r\n", 2 * SMUGGLED.len()),
            Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
            Framing::Trailer => "transfer-encoding: chunked\r\ntrailer: sum\r\n".to_owned(),
            Framing::ExpectChunked => "transfer-encoding: chunked\r\nexpect: 100-continue\r\n".to_owned(),
        };
        let target = if self.method == "CONNECT" { self.words.clone() } else { format!("/{}", self.words) };
        let (method, headers) = (self.method, self.headers);
        let head = format!("{method} {target} HTTP/{version}\r\nhost: x\r\n{connection}{framing}{headers}\r\n");
        if self.bare_lf { head.replace("\r\n", "\n").into_bytes() } else { head.into_bytes() }
    }

    /// The body in two parts: none, or a request in each.
    pub(crate) fn body(&self) -> [Vec<u8>; 2] {
        let chunk = format!("{:x}\r\n{SMUGGLED}\r\n", SMUGGLED.len());
        let [first, second] = match self.framing {
            Framing::None => Default::default(),
            Framing::Length | Framing::Expect => [SMUGGLED.to_owned(), SMUGGLED.to_owned()],
            Framing::Chunked | Framing::ExpectChunked => [chunk.clone(), format!("{chunk}0\r\n\r\n")],
            Framing::Trailer => [chunk.clone(), format!("{chunk}0\r\nsum: 1\r\n\r\n")],
        };
        [first.into_bytes(), second.into_bytes()]
    }

    pub(crate) fn whole(&self) -> Vec<u8> {
        [self.head(), self.body().concat()].concat()
    }

    /// The request in parts, as a patient client sends it.
    pub(crate) fn parts(&self) -> Vec<Vec<u8>> {
        let [first, second] = self.body();
        if !first.is_empty() {
            return vec![self.head(), first, second];
        }
        let head = self.head();
        let (first, second) = head.split_at(head.len() / 2);
        vec![first.to_vec(), second.to_vec()]
    }
}
