//! Rocket with its defaults: 2 s of grace for requests in flight, and 3 s more for their I/O ("mercy").

use rocket::{Build, Rocket, config::Config, get, launch, routes};
use std::{net::SocketAddr, time::Duration};
use tokio::time::sleep;

#[get("/now")]
async fn now() -> &'static str {
    "hello\n"
}

#[get("/")]
async fn hello() -> &'static str {
    sleep(Duration::from_millis(5)).await;
    "hello\n"
}

#[get("/slow")]
async fn slow() -> &'static str {
    sleep(Duration::from_secs(1)).await;
    "slow\n"
}

#[get("/block")]
async fn block() -> &'static str {
    std::thread::sleep(Duration::from_secs(2));
    "blocked\n"
}

#[launch]
fn rocket() -> Rocket<Build> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let address: SocketAddr = address.parse().expect("LISTEN is an address and a port");
    let config = Config { address: address.ip(), port: address.port(), ..Config::release_default() };
    rocket::custom(config).mount("/", routes![hello, slow, now, block])
}
