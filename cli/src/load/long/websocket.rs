//! WebSockets: they have no time limit, and must end with a Close frame.

use super::target::{LAST, Target};
use crate::{
    load::{fault::Fault, transport},
    report::{Outcome, span},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, client::IntoClientRequest, error::ProtocolError, protocol::Message},
};

/// The pause between two pings. Any server must respond to them, whatever messages it understands.
const PING: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<transport::Stream>;

/// Opens a WebSocket and keeps it until the server closes it.
///
/// # Errors
/// The upgrade is refused, a ping has no response in time, or the connection ends without a Close frame.
pub(super) async fn talk(target: &Target<'_>) -> Result<Outcome, Fault> {
    let mut socket = target.within_limit(|deadline| open(target, deadline)).await?;
    let result = target.end_of(until_close(&mut socket, target.shared.limit), Outcome::WebSocketCut).await;
    if result.is_ok() {
        // The end of the close handshake: the server's, or one that begins here because the load is over.
        let _ = timeout(LAST, async {
            let _ = socket.close(None).await;
            while let Some(Ok(_)) = socket.next().await {}
        })
        .await;
    }
    result
}

async fn open(target: &Target<'_>, deadline: Instant) -> Result<Socket, Fault> {
    let stream = transport::connect(target.address, target.endpoint, false, deadline).await?;
    let request = target.endpoint.url.as_str().into_client_request().map_err(|error| fault(&error))?;
    client_async(request, stream).await.map(|(socket, _)| socket).map_err(|error| match &error {
        Error::Http(response) => {
            let outcome = Outcome::WebSocketRefused(response.status().as_u16());
            Fault::new(outcome, outcome.name())
        }
        Error::Io(_) | Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            Fault::of(&error, Outcome::ResetBeforeResponse)
        }
        _ => fault(&error),
    })
}

/// Sends pings and reads until the Close frame. Reads without pause, so that the frame is seen before a reset.
async fn until_close(socket: &mut Socket, limit: Duration) -> Result<Outcome, Fault> {
    let (mut pings, mut heard) = (interval(PING), Instant::now());
    loop {
        tokio::select! {
            biased;
            message = socket.next() => match message {
                Some(Ok(Message::Close(_))) => return Ok(Outcome::Success),
                Some(Ok(_)) => heard = Instant::now(),
                Some(Err(error)) => return Err(fault(&error)),
                None => return Err(Fault::new(Outcome::WebSocketCut, "the connection ended")),
            },
            // An error of the connection is the next thing that is read.
            _ = pings.tick() => { let _ = timeout(limit, socket.send(Message::Ping(Bytes::new()))).await; }
            () = sleep_until(heard + PING + limit) => {
                return Err(Fault::new(Outcome::Timeout, format!("no response to a ping within {}", span(limit))));
            }
        }
    }
}

fn fault(error: &Error) -> Fault {
    let outcome = match error {
        Error::Io(_) | Error::ConnectionClosed | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Outcome::WebSocketCut
        }
        _ => Outcome::WebSocketError,
    };
    Fault::of(error, outcome)
}
