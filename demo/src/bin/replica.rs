//! One replica of the demo's service. A response takes a few milliseconds (`/slow`: a second), and a hook flushes the
//! orders.

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

#[graceful::shutdown_hook(order = 1, timeout = "3s")]
async fn flush_orders(orders: State<Arc<AtomicU64>>) -> std::io::Result<()> {
    println!("flushed {} orders", orders.swap(0, Ordering::Relaxed));
    Ok(())
}

#[graceful::shutdown_hook(order = 2)]
fn log_shutdown() {
    println!("all hooks ran");
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
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("serving on {}", listener.local_addr()?);
    graceful::serve(listener, service).await
}
