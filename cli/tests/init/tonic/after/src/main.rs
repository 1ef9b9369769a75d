use std::time::Duration;
use tonic::transport::Server;

#[graceful::main(ready = "on-serve")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = "[::1]:50051".parse()?;
    let (_reporter, health) = tonic_health::server::health_reporter();

    println!("serving on {address}");
    let listener = tokio::net::TcpListener::bind::<std::net::SocketAddr>(address).await?;
    let routes = tonic::service::Routes::new(health);
    graceful::tonic::serve(listener, routes).await?;

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
