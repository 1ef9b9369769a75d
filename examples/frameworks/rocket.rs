//! The server of Rocket, without its signal handling. It keeps serving during grace and stops at the drain, which waits
//! for its requests.

use rocket::{Config, config::Shutdown, fairing::AdHoc, get, http::Header, routes};
use std::{net::SocketAddr, time::Duration};

#[get("/")]
fn hello() -> &'static str {
    "hello\n"
}

#[get("/slow")]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(2)).await;
    "slow\n"
}

#[graceful::main(grace = "5s", drain = "10s")]
async fn main(ctx: graceful::Context) -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:3000".to_owned());
    let address: SocketAddr = address.parse()?;
    let mut shutdown = Shutdown { ctrlc: false, grace: 7, mercy: 2, force: false, ..Shutdown::default() }; // in the drain
    #[cfg(unix)]
    shutdown.signals.clear(); // graceful handles signals
    let config = Config { address: address.ip(), port: address.port(), shutdown, ..Config::default() };

    let (on_liftoff, on_response) = (ctx.clone(), ctx.clone());
    let rocket = rocket::custom(config)
        .mount("/", routes![hello, slow])
        // Ready once the server listens.
        .attach(AdHoc::on_liftoff("ready", move |rocket| {
            let Config { address, port, .. } = rocket.config();
            println!("serving on http://{}", SocketAddr::new(*address, *port));
            on_liftoff.ready();
            Box::pin(async {})
        }))
        // From grace on, `Connection: close` asks clients to reconnect.
        .attach(AdHoc::on_response("connection close", move |_, response| {
            if on_response.phase().is_terminating() {
                response.set_header(Header::new("connection", "close"));
            }
            Box::pin(async {})
        }))
        .ignite()
        .await?;

    let (stop, draining) = (rocket.shutdown(), ctx.draining());
    tokio::spawn(async move {
        draining.await;
        stop.notify();
    });
    rocket.launch().await?;
    Ok(())
}
