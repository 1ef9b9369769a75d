use super::*;
use std::{future::poll_fn, io::Write, net::TcpStream as StdStream, thread, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A connection behind a handshake that takes a byte and then makes a stream with `layer`, and its client.
async fn connected<S>(
    layer: fn(Transport<TcpStream>) -> S,
) -> (Handshaking<impl Future<Output = io::Result<S>> + Send + 'static, S>, StdStream)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    client.write_all(b"handshake, then data").unwrap();
    let mut listener = with_handshake(listener, Duration::from_secs(10), move |mut transport| async move {
        transport.read_exact(&mut [0; "handshake, ".len()]).await?;
        Ok(layer(transport))
    });
    let mut stream = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
    stream.read_exact(&mut [0; "then data".len()]).await.unwrap();
    (stream, client)
}

/// Sends bytes to a connection while its runtime does not run, and reads them from the socket itself until `expected`
/// holds.
async fn send_and_recv<S>(stream: &mut S, client: &mut StdStream, bytes: &[u8], expected: impl Fn(&S, &[u8]) -> bool)
where
    S: Stream,
{
    poll_fn(|cx| {
        let mut buffer = [0; 16];
        let mut buffer = ReadBuf::new(&mut buffer);
        assert!(Pin::new(&mut *stream).poll_read(cx, &mut buffer).is_pending());
        client.write_all(bytes).unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while !expected(stream, buffer.filled()) {
            assert!(Instant::now() < end, "{:?}", buffer.filled());
            thread::yield_now(); // the kernel delivers the bytes
            if let Poll::Ready(received) = Pin::new(&mut *stream).poll_recv(cx, &mut buffer) {
                received.unwrap();
            }
        }
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn bytes_that_the_runtime_has_not_seen_are_received() {
    let (mut stream, mut client) = connected(|transport| transport).await;
    send_and_recv(&mut stream, &mut client, b"request", |_, received| received == b"request").await;
    assert!(!stream.has_partial_input());
}

#[tokio::test]
async fn bytes_of_the_handshake_are_no_partial_input() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    client.write_all(b"handshake").unwrap();
    let mut listener = with_handshake(listener, Duration::from_secs(10), |mut transport| async move {
        transport.read_exact(&mut [0; "handshake".len()]).await?;
        Ok(transport)
    });
    let mut stream = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
    stream.flush().await.unwrap(); // behind the handshake
    assert!(!stream.is_handshaking() && !stream.has_partial_input());
}

#[tokio::test]
async fn a_part_of_a_record_is_partial_input_until_the_record_is_complete() {
    let (mut stream, mut client) = connected(Records::new).await;
    send_and_recv(&mut stream, &mut client, b"abcdefgh", |stream, _| stream.has_partial_input()).await;
    send_and_recv(&mut stream, &mut client, b"i", |_, received| received == b"abcdefghi").await;
    assert!(!stream.has_partial_input());
}

/// Like TLS: what was received can be read once a record, here of nine bytes, is complete.
struct Records {
    transport: Transport<TcpStream>,
    record: Vec<u8>,
}

impl Records {
    const LENGTH: usize = 9;

    fn new(transport: Transport<TcpStream>) -> Self {
        Self { transport, record: Vec::new() }
    }
}

impl AsyncRead for Records {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.record.len() < Self::LENGTH {
            let mut rest = [0; Self::LENGTH];
            let missing = Self::LENGTH - self.record.len();
            let mut rest = ReadBuf::new(&mut rest[..missing]);
            ready!(Pin::new(&mut self.transport).poll_read(cx, &mut rest))?;
            self.record.extend(rest.filled());
        }
        buffer.put_slice(&std::mem::take(&mut self.record));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Records {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
