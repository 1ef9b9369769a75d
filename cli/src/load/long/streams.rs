//! Streaming responses, for example server-sent events: they have no time limit, and must end completely.

use super::target::Target;
use crate::{
    load::{
        connection::{Connection, Unanswered},
        fault::Fault,
        request::{of_status, stream},
    },
    report::Outcome,
};
use http_body_util::BodyExt;

/// Reads a stream to its end, and keeps nothing of it.
///
/// # Errors
/// There is no 2xx response, or the connection ends before the body.
pub(super) async fn read(target: &Target<'_>) -> Result<Outcome, Fault> {
    let (mode, endpoint) = (target.mode(), target.endpoint);
    let head = target.within_limit(|deadline| async move {
        let mut connection = Connection::open(target.address, endpoint, mode, deadline).await?;
        let response = connection.send(stream(endpoint, mode)).await.map_err(Unanswered::fault)?;
        Ok((connection, response))
    });
    // The connection lives as long as the body is read.
    let (_connection, response) = head.await?;
    of_status(response.status())?;
    let mut body = response.into_body();
    let end = async {
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| Fault::of(&error, Outcome::StreamCut))?;
        }
        Ok(Outcome::Success)
    };
    target.end_of(end, Outcome::StreamCut).await
}
