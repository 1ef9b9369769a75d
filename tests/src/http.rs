//! HTTP/1.1 by hand, so that a test decides which byte is on the wire when.

use crate::PATIENCE;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

/// A request that stalls in its body, more bytes of which are missing than its head has, so that the server knows.
pub const STALLED_BODY: &str = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n12345";

/// One connection to a server.
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// A response, complete.
#[derive(Debug)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// In lower case, a line each, without the status line.
    pub head: String,
    /// The body, without its chunks' sizes.
    pub body: String,
}

impl Response {
    /// Whether the client is told to close and go elsewhere.
    pub fn says_close(&self) -> bool {
        self.head.lines().any(|line| line == "connection: close")
    }
}

impl Client {
    /// Connects.
    ///
    /// # Panics
    /// The connection is refused.
    pub fn new(to: SocketAddr) -> Self {
        Self::connect(to).expect("the server takes connections")
    }

    /// Connects, or says why not.
    ///
    /// # Errors
    /// What `connect` says.
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Writes bytes as they are.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn write(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).expect("the connection takes bytes");
    }

    /// Sends a request without waiting for its response.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn send(&mut self, path: &str) {
        self.write(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
    }

    /// Sends a request and reads its response.
    ///
    /// # Panics
    /// There is no complete response.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Response {
        self.try_get(path).unwrap_or_else(|error| panic!("no complete response for {path}: {error:?}"))
    }

    /// Sends a request and reads its response, or says why not.
    ///
    /// # Errors
    /// What the socket says; `UnexpectedEof` if the connection ends before the response does.
    pub fn try_get(&mut self, path: &str) -> io::Result<Response> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes())?;
        self.try_response()
    }

    /// Reads a response.
    ///
    /// # Panics
    /// There is no complete one.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.try_response().unwrap_or_else(|error| panic!("no complete response: {error:?}"))
    }

    /// Reads a response that says that it is the connection's last, and the end of the connection behind it.
    ///
    /// # Panics
    /// It is not there, not 200, does not say so, or is not the last.
    #[track_caller]
    pub fn last_response(&mut self) -> Response {
        let response = self.response();
        assert!(response.status == 200 && response.says_close(), "{response:?}");
        self.is_closed();
        response
    }

    /// Reads a response, or says why not.
    ///
    /// # Errors
    /// What the socket says; `UnexpectedEof` if the connection ends before the response does.
    pub fn try_response(&mut self) -> io::Result<Response> {
        let head = self.until("\r\n\r\n")?.to_lowercase();
        let (status_line, head) = head.split_once("\r\n").unwrap_or((&head, ""));
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let head = head.replace("\r\n", "\n");
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let body = if value("transfer-encoding:") == Some("chunked") {
            self.chunks()?
        } else {
            let length = value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
            self.exactly(length)?
        };
        Ok(Response { status, head, body })
    }

    fn chunks(&mut self) -> io::Result<String> {
        let mut body = String::new();
        loop {
            let size = self.until("\r\n")?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            body += &self.exactly(size)?;
            self.until("\r\n")?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Reads up to and including this mark.
    ///
    /// # Errors
    /// What the socket says; `UnexpectedEof` if the connection ends before.
    pub fn until(&mut self, mark: &str) -> io::Result<String> {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|bytes| bytes == mark.as_bytes()) {
                return self.exactly(at + mark.len());
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<String> {
        while self.unread.len() < length {
            self.more()?;
        }
        Ok(String::from_utf8_lossy(&self.unread.drain(..length).collect::<Vec<_>>()).into_owned())
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            bytes => {
                self.unread.extend_from_slice(&buffer[..bytes]);
                Ok(())
            }
        }
    }

    /// Tells the server that nothing more comes.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits until the server closes, and fails unless it does so without another byte and without a reset.
    ///
    /// # Panics
    /// It is closed in another way, or not at all.
    #[track_caller]
    pub fn is_closed(&mut self) {
        match self.more() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => panic!("the connection is not closed cleanly: {error:?}"),
            Ok(()) => panic!("bytes instead of an end: {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }

    /// Waits until the server ends the connection, cleanly or not, and fails if it sends a byte before.
    ///
    /// # Panics
    /// It sends something, or does not end.
    #[track_caller]
    pub fn is_cut(&mut self) {
        match self.more() {
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("the connection is not ended: {error:?}"),
            Ok(()) => panic!("bytes instead of an end: {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }
}
