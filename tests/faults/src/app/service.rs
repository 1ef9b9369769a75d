//! The requests that the app serves. Each tells the harness its number when its handler begins.

use super::wire::{block_for_ever, gate, say};
use bytes::Bytes;
use graceful_tests::stage::env_var;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use std::time::Duration;

/// Responds to `/PATH?NUMBER`.
pub(super) async fn respond(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (path, number) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    if !number.is_empty() {
        say(&format!("in {number}."));
    }
    match path.as_str() {
        "/work" => tokio::time::sleep(Duration::from_millis(5)).await,
        "/held" => gate("held").passed().await,
        "/faulty" => {
            gate("handler").passed().await;
            say("the handler goes wrong");
            match env_var("FAULTS_HANDLER").as_str() {
                "handler-blocks" => block_for_ever(),
                _ => panic!("the handler panics"),
            }
        }
        "/large" => return Response::new(Full::new(vec![b'x'; 4 << 20].into())),
        "/upload" => drop(request.into_body().collect().await),
        _ => {}
    }
    Response::new(Full::new(Bytes::from_static(b"ok\n")))
}
