//! axum with a shutdown by hand: after SIGTERM the program turns unready, serves for three more seconds, and asks its
//! clients to reconnect; then it closes the listener, and waits at most five seconds for requests in flight.

mod router;

use axum::{
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, HeaderName},
    },
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::sleep,
};

const GRACE: Duration = Duration::from_secs(3);
const DRAIN: Duration = Duration::from_secs(5);
const CLOSE: (HeaderName, HeaderValue) = (CONNECTION, HeaderValue::from_static("close"));

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let terminating = Arc::new(AtomicBool::new(false));
    let (of_responses, of_probes) = (terminating.clone(), terminating.clone());
    let ask_to_reconnect = from_fn(move |request: Request, next: Next| {
        let terminating = of_responses.clone();
        async move {
            let mut response: Response = next.run(request).await;
            if terminating.load(Ordering::Relaxed) {
                response.headers_mut().extend([CLOSE]);
            }
            response
        }
    });
    let ready = async move || match of_probes.load(Ordering::Relaxed) {
        true => StatusCode::SERVICE_UNAVAILABLE,
        false => StatusCode::OK,
    };
    let app = router::router().route("/readyz", get(ready)).layer(ask_to_reconnect);
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut terminate_too = signal(SignalKind::terminate())?;
    let shutdown = async move {
        terminate.recv().await;
        terminating.store(true, Ordering::Relaxed);
        sleep(GRACE).await;
    };
    let server = axum::serve(listener, app).with_graceful_shutdown(shutdown).into_future();
    let limit = async {
        terminate_too.recv().await;
        sleep(GRACE + DRAIN).await;
    };
    tokio::select! {
        result = server => result,
        () = limit => Err(std::io::Error::other("requests in flight were cut")),
    }
}
