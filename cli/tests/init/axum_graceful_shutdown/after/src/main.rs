use axum::{Router, routing::get};
use std::time::Duration;
use tokio::{net::TcpListener, time::sleep};

#[graceful::main(ready = "on-serve")]
async fn main() {
    let app = Router::new().route("/", get(|| async { "hello" })).route("/slow", get(slow));
    let listener = TcpListener::bind("0.0.0.0:3000").await.unwrap();

    // Runs until somebody stops it.
    graceful::axum::serve(listener, app).await.unwrap();
    println!("good night");
}

async fn slow() -> &'static str {
    sleep(Duration::from_secs(2)).await;
    "slow"
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn slow_is_slow() {
        tokio::spawn(async {});
        assert_eq!(super::slow().await, "slow");
    }
}
