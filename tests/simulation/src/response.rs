//! Reads the responses of a connection of HTTP/1.1, which hyper's client does not let requests overtake.

/// What the next bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The head of a response; whether it says `Connection: close`.
    Head {
        /// Whether it says so.
        closes: bool,
    },
    /// The end of the response.
    End,
}

/// Where the reader is in a response.
#[derive(Debug, Clone, Copy)]
enum At {
    Head,
    Sized(usize),
    ChunkSize,
    Chunk(usize),
    Trailer,
}

/// The reader of a connection.
#[derive(Debug)]
pub struct Reader {
    bytes: Vec<u8>,
    at: At,
}

impl Default for Reader {
    fn default() -> Self {
        Self { bytes: Vec::new(), at: At::Head }
    }
}

impl Reader {
    /// Adds bytes of the connection.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part of the responses; `None` if more bytes are needed.
    ///
    /// # Errors
    /// The bytes are no response.
    pub fn part(&mut self) -> Result<Option<Part>, String> {
        loop {
            match self.at {
                At::Head => {
                    let Some(head) = self.take_until(b"\r\n\r\n")? else { return Ok(None) };
                    return self.head(&head).map(Some);
                }
                At::Sized(0) => {
                    self.at = At::Head;
                    return Ok(Some(Part::End));
                }
                At::Sized(left) => match self.take(left) {
                    0 => return Ok(None),
                    taken => self.at = At::Sized(left - taken),
                },
                At::ChunkSize => {
                    let Some(line) = self.take_until(b"\r\n")? else { return Ok(None) };
                    let size = usize::from_str_radix(&line, 16).map_err(|_| format!("chunk size {line:?}"))?;
                    self.at = if size == 0 { At::Trailer } else { At::Chunk(size + 2) };
                }
                At::Chunk(0) => self.at = At::ChunkSize,
                At::Chunk(left) => match self.take(left) {
                    0 => return Ok(None),
                    taken => self.at = At::Chunk(left - taken),
                },
                At::Trailer => {
                    let Some(line) = self.take_until(b"\r\n")? else { return Ok(None) };
                    if line.is_empty() {
                        self.at = At::Head;
                        return Ok(Some(Part::End));
                    }
                }
            }
        }
    }

    fn take(&mut self, limit: usize) -> usize {
        let taken = limit.min(self.bytes.len());
        self.bytes.drain(..taken);
        taken
    }

    fn take_until(&mut self, end: &[u8]) -> Result<Option<String>, String> {
        let Some(at) = self.bytes.windows(end.len()).position(|window| window == end) else { return Ok(None) };
        let text = self.bytes.drain(..at + end.len()).take(at).collect();
        String::from_utf8(text).map(Some).map_err(|error| format!("a response is no text: {error}"))
    }

    fn head(&mut self, head: &str) -> Result<Part, String> {
        let head = head.to_ascii_lowercase();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        if !status.starts_with("http/1.1 200") {
            return Err(format!("status line {status:?}"));
        }
        let mut closes = false;
        self.at = At::Sized(0);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            match (name, value) {
                ("connection", "close") => closes = true,
                ("transfer-encoding", "chunked") => self.at = At::ChunkSize,
                ("content-length", length) => {
                    self.at = At::Sized(length.parse().map_err(|_| format!("content-length {length:?}"))?);
                }
                _ => {}
            }
        }
        Ok(Part::Head { closes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_found_however_their_bytes_are_split() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc\
            HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        let (first, second) = (Part::Head { closes: false }, Part::Head { closes: true });
        for size in 1..bytes.len() {
            let mut reader = Reader::default();
            let mut parts = Vec::new();
            for piece in bytes.chunks(size) {
                reader.add(piece);
                while let Some(part) = reader.part().unwrap() {
                    parts.push(part);
                }
            }
            assert_eq!((parts, reader.bytes.len()), (vec![first, Part::End, second, Part::End], 0), "by {size}");
        }
    }

    #[test]
    fn an_error_is_no_response() {
        let mut reader = Reader::default();
        reader.add(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert!(reader.part().is_err());
    }
}
