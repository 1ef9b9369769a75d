//! Streaming responses, for example server-sent events or gRPC streams: they have no time limit, and must end completely.

use super::target::Target;
use crate::{
    load::{
        connection::{Connection, Unanswered},
        fault::Fault,
        grpc::Status,
        request::{Body, Mode, of_status, request, stream},
    },
    report::Outcome,
};
use http_body_util::BodyExt;
use hyper::{HeaderMap, Request, Response, body::Incoming};

/// Reads a stream to its end, and keeps nothing of it.
///
/// # Errors
/// There is no 2xx response, or the connection ends before the body.
pub(super) async fn read(target: &Target<'_>) -> Result<Outcome, Fault> {
    let mode = target.mode();
    // The connection lives as long as the body is read.
    let (_connection, response) = open(target, mode, stream(target.endpoint, mode)).await?;
    let end = async { trailers(response, Outcome::StreamCut).await.map(|_| Outcome::Success) };
    target.end_of(end, Outcome::StreamCut).await
}

/// Reads the messages of a gRPC stream to its status.
///
/// # Errors
/// There is no 2xx response, the connection ends before the status, or the status is not OK.
pub(super) async fn call(target: &Target<'_>) -> Result<Outcome, Fault> {
    let (_connection, response) = open(target, Mode::Grpc, request(target.endpoint, Mode::Grpc)).await?;
    let head = response.headers().clone();
    let end = async {
        let trailers = trailers(response, Outcome::GrpcStreamCut).await?;
        Status::of(&head, trailers.as_ref()).outcome()
    };
    target.end_of(end, Outcome::GrpcStreamCut).await
}

async fn open(
    target: &Target<'_>,
    mode: Mode,
    request: Request<Body>,
) -> Result<(Connection, Response<Incoming>), Fault> {
    let head = target.within_limit(|deadline| async move {
        let mut connection = Connection::open(target.address, target.endpoint, mode, deadline).await?;
        let response = connection.send(request).await.map_err(Unanswered::fault)?;
        Ok((connection, response))
    });
    let (connection, response) = head.await?;
    of_status(response.status())?;
    Ok((connection, response))
}

/// Reads a body to its end. Returns its trailers.
async fn trailers(response: Response<Incoming>, cut: Outcome) -> Result<Option<HeaderMap>, Fault> {
    let (mut body, mut trailers) = (response.into_body(), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::of(&error, cut))?;
        trailers = frame.into_trailers().ok().or(trailers);
    }
    Ok(trailers)
}
