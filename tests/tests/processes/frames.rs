//! An HTTP/2 client that writes and reads frames, so that a test controls which are sent when.

use std::io::{self, Read, Write};

// Frame types and flags.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Http2<S>(S);

impl<S: Read + Write> Http2<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self::with_settings(stream, &[])
    }

    /// A client whose windows take this many bytes, so that it sends nothing while it reads them.
    pub(crate) fn with_windows(stream: S, bytes: u32) -> Self {
        const INITIAL_WINDOW_SIZE: u8 = 4;
        let setting = [&[0, INITIAL_WINDOW_SIZE][..], &bytes.to_be_bytes()].concat();
        let mut http2 = Self::with_settings(stream, &setting);
        http2.write(WINDOW_UPDATE, 0, 0, &bytes.to_be_bytes());
        http2
    }

    fn with_settings(mut stream: S, settings: &[u8]) -> Self {
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut http2 = Self(stream);
        http2.write(SETTINGS, 0, 0, settings);
        while !matches!(http2.frame().unwrap(), Frame { kind: SETTINGS, flags: ACK, .. }) {}
        http2
    }

    fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = &(payload.len() as u32).to_be_bytes()[1..];
        self.0.write_all(&[length, &[kind, flags], &stream.to_be_bytes(), payload].concat()).unwrap();
    }

    /// The next frame. Responds to pings.
    pub(crate) fn frame(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head)?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload)?;
        let frame = Frame { kind: head[3], flags: head[4], payload };
        if frame.kind == PING && frame.flags & ACK == 0 {
            self.write(PING, ACK, 0, &frame.payload);
        }
        Ok(frame)
    }

    /// Sends a thousand PING frames.
    pub(crate) fn pings(&mut self) -> io::Result<()> {
        self.0.write_all(&[0, 0, 8, PING, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].repeat(1000))
    }

    /// Sends a POST request with these further headers and this body, as this stream.
    pub(crate) fn post(&mut self, stream: u32, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let literal = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        // HPACK's static table: `:method: POST`, `:scheme: http`, and the names of `:path` and `:authority`.
        let mut block = vec![0x83, 0x86, 0x04];
        block.extend(literal(path));
        block.push(0x01);
        block.extend(literal("test"));
        for (name, value) in headers {
            block.push(0x00);
            block.extend([literal(name), literal(value)].concat());
        }
        self.write(HEADERS, END_HEADERS, stream, &block);
        self.write(DATA, END_STREAM, stream, body);
    }
}
