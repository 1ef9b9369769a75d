//! HTTP/1.1 and HTTP/2 on one port, responses that take a second, and a hook that flushes what is in memory. README's
//! first command restarts three copies of it under load.
//!
//! ```console
//! $ cargo run -p graceful-examples --bin orders &
//! $ curl --http2-prior-knowledge localhost:3000
//! $ curl localhost:3000/slow & sleep 0.5; kill %1
//! ```

use graceful::{Context, State};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

#[graceful::shutdown_hook(order = 1, timeout = "3s")]
async fn flush_orders(orders: State<Arc<AtomicU64>>) {
    println!("flushed {} orders", orders.swap(0, Ordering::Relaxed));
}

#[graceful::main(grace = "3s", drain = "5s")]
async fn main(ctx: Context) -> std::io::Result<()> {
    let orders = Arc::new(AtomicU64::new(0));
    ctx.provide(orders.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let orders = orders.clone();
        async move {
            let millis = if request.uri().path() == "/slow" { 1000 } else { 5 };
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let order = orders.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Response::new(format!("order {order} accepted\n")))
        }
    });
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::serve(listener, service).await
}
