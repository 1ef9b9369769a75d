//! actix-web with its defaults: it handles SIGTERM itself.

use actix_web::{App, HttpServer, get, rt::time::sleep};
use std::time::Duration;

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

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    HttpServer::new(|| App::new().service(hello).service(slow).service(now).service(block)).bind(address)?.run().await
}
