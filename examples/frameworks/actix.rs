//! The server of actix-web, without its signal handling. It keeps serving during grace and stops at the drain, which
//! waits for its requests.

use actix_web::{App, HttpServer, dev::Service, get, http::ConnectionType};
use std::{net::TcpListener, time::Duration};

#[get("/")]
async fn hello() -> &'static str {
    "hello\n"
}

#[get("/slow")]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s", drain = "10s")]
async fn main(ctx: graceful::Context) -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("serving on http://{}", listener.local_addr()?);

    let context = ctx.clone();
    let app = move || {
        let context = context.clone();
        // From grace on, `Connection: close` asks clients to reconnect.
        let app = App::new().wrap_fn(move |request, next| {
            let (context, response) = (context.clone(), next.call(request));
            async move {
                let mut response = response.await?;
                if context.phase().is_terminating() {
                    response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                }
                Ok(response)
            }
        });
        app.service(hello).service(slow)
    };
    let server = HttpServer::new(app)
        .disable_signals() // graceful handles signals
        .shutdown_timeout(10) // = drain
        .listen(listener)?
        .run();

    let (handle, draining) = (server.handle(), ctx.draining());
    tokio::spawn(async move {
        draining.await;
        handle.stop(true).await; // stops accepting and waits for requests in flight
    });
    ctx.ready();
    server.await
}
