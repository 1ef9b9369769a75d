//! A raw HTTP/1.1 client, so that a test controls which bytes are sent when.

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

/// A complete response.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines in lower case, without the status line.
    pub head: String,
    /// The body, without chunk sizes.
    pub body: String,
}

impl Response {
    /// Whether the response has `Connection: close`.
    pub fn has_connection_close(&self) -> bool {
        self.head.lines().any(|line| line == "connection: close")
    }
}

impl Client {
    /// Connects to a server.
    ///
    /// # Panics
    /// The connection is refused.
    pub fn new(to: SocketAddr) -> Self {
        Self::connect(to).expect("the server accepts connections")
    }

    /// Connects to a server.
    ///
    /// # Errors
    /// An error of `connect`.
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Writes raw bytes.
    ///
    /// # Panics
    /// The connection is broken.
    pub fn write(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).expect("the connection is writable");
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

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// An I/O error; `UnexpectedEof` if the connection ends before the response is complete.
    pub fn try_get(&mut self, path: &str) -> io::Result<Response> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes())?;
        self.try_response()
    }

    /// Reads a response.
    ///
    /// # Panics
    /// There is no complete response.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.try_response().unwrap_or_else(|error| panic!("no complete response: {error:?}"))
    }

    /// Reads a response with `Connection: close` and expects the server to close the connection after it.
    ///
    /// # Panics
    /// There is no complete response, its status is not 200, it lacks `Connection: close`, or the connection stays open.
    #[track_caller]
    pub fn last_response(&mut self) -> Response {
        let response = self.response();
        assert!(response.status == 200 && response.has_connection_close(), "{response:?}");
        self.expect_close();
        response
    }

    /// Reads a response.
    ///
    /// # Errors
    /// An I/O error; `UnexpectedEof` if the connection ends before the response is complete.
    pub fn try_response(&mut self) -> io::Result<Response> {
        let head = self.read_until("\r\n\r\n")?.to_lowercase();
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
            let size = self.read_until("\r\n")?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            body += &self.exactly(size)?;
            self.read_until("\r\n")?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Reads up to and including `mark`.
    ///
    /// # Errors
    /// An I/O error; `UnexpectedEof` if the connection ends before `mark`.
    pub fn read_until(&mut self, mark: &str) -> io::Result<String> {
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

    /// Half-closes the connection: sends FIN.
    pub fn shutdown_write(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits for the server's FIN, without further bytes and without a reset.
    ///
    /// # Panics
    /// The server sends bytes or a reset, or doesn't close the connection.
    #[track_caller]
    pub fn expect_close(&mut self) {
        match self.more() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => panic!("no clean close: {error:?}"),
            Ok(()) => panic!("bytes before the end of the connection: {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }

    /// Waits for the server's FIN or reset, without further bytes.
    ///
    /// # Panics
    /// The server sends bytes, or doesn't end the connection.
    #[track_caller]
    pub fn expect_disconnect(&mut self) {
        match self.more() {
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("no end of the connection: {error:?}"),
            Ok(()) => panic!("bytes before the end of the connection: {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }
}
