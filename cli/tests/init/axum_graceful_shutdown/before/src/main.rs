use axum::{Router, routing::get};
use std::time::Duration;
use tokio::{net::TcpListener, signal, time::sleep};

#[tokio::main]
async fn main() {
    let app = Router::new().route("/", get(|| async { "hello" })).route("/slow", get(slow));
    let listener = TcpListener::bind("0.0.0.0:3000").await.unwrap();

    // Runs until somebody stops it.
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown_signal())
        .await
        .unwrap();
    println!("good night");
}

async fn slow() -> &'static str {
    sleep(Duration::from_secs(2)).await;
    "slow"
}

// Either of two signals.
async fn shutdown_signal() {
    let interrupted = async { signal::ctrl_c().await.expect("a handler of Ctrl-C") };

    #[cfg(unix)]
    let terminated = async {
        signal::unix::signal(signal::unix::SignalKind::terminate())
            .expect("a handler of SIGTERM")
            .recv()
            .await;
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();

    tokio::select! {
        () = interrupted => println!("interrupted"),
        () = terminated => println!("asked to end"),
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn slow_is_slow() {
        tokio::spawn(async {});
        assert_eq!(super::slow().await, "slow");
    }
}
