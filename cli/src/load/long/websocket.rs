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
    tungstenite::{
        Error,
        client::IntoClientRequest,
        error::ProtocolError,
        protocol::{CloseFrame, Message},
    },
};

/// The pause between two pings. Any server must respond to them, whatever messages it understands.
const PING: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<transport::Stream>;

/// Opens a WebSocket and keeps it until the server closes it.
///
/// # Errors
/// The upgrade is refused, a ping has no response in time, or the connection ends without a Close frame or with one of an
/// error.
pub(super) async fn talk(target: &Target<'_>) -> Result<Outcome, Fault> {
    let mut socket = target.within_limit(|deadline| open(target, deadline)).await?;
    let result = target.end_of(until_close(&mut socket, target.shared.limit), Outcome::WebSocketCut).await;
    if matches!(&result, Ok(_) | Err(Fault { outcome: Outcome::WebSocketClosed(_), .. })) {
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
                Some(Ok(Message::Close(frame))) => return of_close(frame),
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

/// The codes of a shutdown in order: normal closure, going away, service restart.
const IN_ORDER: [u16; 3] = [1000, 1001, 1012];

/// A Close frame without a code is in order, too.
fn of_close(frame: Option<CloseFrame>) -> Result<Outcome, Fault> {
    let Some(CloseFrame { code, reason }) = frame else { return Ok(Outcome::Success) };
    let code = u16::from(code);
    if IN_ORDER.contains(&code) {
        return Ok(Outcome::Success);
    }
    let outcome = Outcome::WebSocketClosed(code);
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(100).collect();
    let name = outcome.name();
    Err(Fault::new(outcome, if reason.is_empty() { name } else { format!("{name}: {reason}") }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_of_an_error_is_a_failure() {
        let close = |code: u16| of_close(Some(CloseFrame { code: code.into(), reason: "why".into() }));
        assert!([1000, 1001, 1012].into_iter().all(|code| close(code).is_ok()) && of_close(None).is_ok());
        for code in [1002, 1008, 1011, 1013, 4000] {
            let fault = close(code).unwrap_err();
            assert_eq!(fault.outcome, Outcome::WebSocketClosed(code));
            assert_eq!(fault.error, format!("WebSocket closed with code {code}: why"));
        }
    }
}
