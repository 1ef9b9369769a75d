//! An HTTP service that fails no request during a shutdown.
//!
//! ```console
//! $ cargo run -p graceful-examples --bin hello &
//! $ curl localhost:3000 localhost:8081/readyz
//! $ kill %1
//! ```

use hyper::{Request, Response, body::Incoming, service::service_fn};
use std::convert::Infallible;
use tokio::net::TcpListener;

async fn hello(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("hello\n".to_owned()))
}

#[graceful::main(grace = "5s")]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("serving on http://{}", listener.local_addr()?);
    graceful::serve(listener, service_fn(hello)).await
}
