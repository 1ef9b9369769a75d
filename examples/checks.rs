//! Health checks, which run in the background. Probes report their last results.
//!
//! ```console
//! $ cargo run -p graceful-examples --bin checks &
//! $ curl 'localhost:8081/readyz?verbose'
//! $ curl -X POST localhost:3000/break; sleep 1; curl localhost:8081/readyz localhost:8081/readyz/db 'localhost:8081/readyz?exclude=db'
//! ```

use axum::{
    Router,
    routing::{get, post},
};
use graceful::{Context, State};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;

/// A dependency of the service.
#[derive(Default)]
struct Database {
    down: AtomicBool,
}

/// After three failures in a row the pod is unready; one success makes it ready.
#[graceful::health_check(name = "db", on = "readiness", period = "200ms", timeout = "100ms", failures = 3)]
async fn ping(database: State<Database>) -> Result<(), &'static str> {
    if database.down.load(Ordering::Relaxed) { Err("connection refused") } else { Ok(()) }
}

/// A sync check runs on the blocking pool. Liveness is only for faults that a restart fixes.
#[graceful::health_check(on = "liveness", period = "10s")]
fn disk() -> bool {
    std::env::temp_dir().is_dir()
}

/// Fails `/startupz`, for the startup probe, until it passes once.
#[graceful::health_check(on = "startup", period = "1s")]
async fn cache_is_warm() -> bool {
    true
}

#[graceful::main(grace = "5s", liveness_heartbeat = "10s")]
async fn main(ctx: Context) -> std::io::Result<()> {
    ctx.provide(Database::default());
    let set_down = |down| {
        post(async move |ctx: Context| {
            let database = ctx.state::<Database>();
            database.iter().for_each(|database| database.down.store(down, Ordering::Relaxed));
        })
    };
    let app = Router::new().route("/", get(|| async { "hello\n" }));
    let app = app.route("/break", set_down(true)).route("/repair", set_down(false));

    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::axum::serve(listener, app).await
}
