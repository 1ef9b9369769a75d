//! Custom probe responses: `UP` or `DOWN` with details, the format of other frameworks.

use graceful::{Context, Probe};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    service::service_fn,
};
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use tokio::net::TcpListener;

fn probe_response(probe: &Probe) -> Response<String> {
    let status = if probe.healthy { "UP" } else { "DOWN" };
    let checks = probe.checks.iter().map(|check| (check.name.to_owned(), Value::from(check.status.to_string())));
    let details: Map<String, Value> = checks.collect();
    let body = json!({ "status": status, "reason": probe.word, "phase": probe.phase.name(), "details": details });

    let mut response = Response::new(format!("{body}\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !probe.healthy {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

async fn hello(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("hello\n".to_owned()))
}

#[graceful::main(grace = "5s")]
async fn main(ctx: Context) -> std::io::Result<()> {
    ctx.answer_probes_with(probe_response);
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::serve(listener, service_fn(hello)).await
}
