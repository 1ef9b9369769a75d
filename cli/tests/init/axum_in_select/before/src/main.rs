use axum::Router;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("0.0.0.0:3000").await.unwrap();
    tokio::select! {
        served = axum::serve(listener, Router::new()) => served.unwrap(),
        _ = tokio::signal::ctrl_c() => println!("stopped"),
    }
    std::process::exit(0);
}
