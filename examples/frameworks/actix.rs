//! actix-web's own server, told when to stop: it takes no signals, serves through grace and is waited for.

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
        // During grace, clients are asked to move: `Connection: close`.
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
        .disable_signals() // they are graceful's
        .shutdown_timeout(10) // = drain; its answer to what does not end
        .listen(listener)?
        .run();

    let (handle, draining) = (server.handle(), ctx.draining());
    tokio::spawn(async move {
        draining.await;
        handle.stop(true).await; // stops accepting, and lets requests in flight end
    });
    ctx.ready();
    server.await
}
