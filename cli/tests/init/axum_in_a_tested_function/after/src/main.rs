use axum::Router;
use tokio::net::TcpListener;

#[graceful::main]
async fn main() -> std::io::Result<()> {
    run(TcpListener::bind("0.0.0.0:3000").await?).await
}

async fn run(listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, Router::new()).await
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_accepts() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(super::run(listener));
        tokio::net::TcpStream::connect(address).await.unwrap();
    }
}
