use std::time::Duration;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = "[::1]:50051".parse()?;
    let (_reporter, health) = tonic_health::server::health_reporter();

    println!("serving on {address}");
    Server::builder()
        .add_service(health)
        .serve_with_shutdown(address, async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;

    Ok(())
}

/// A second server, whose settings have no counterpart.
pub async fn internal() -> Result<(), tonic::transport::Error> {
    let (_reporter, health) = tonic_health::server::health_reporter();
    Server::builder()
        .timeout(Duration::from_secs(5))
        .add_service(health)
        .serve(([127, 0, 0, 1], 50052).into())
        .await
}
