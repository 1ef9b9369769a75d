//! reqwest, as a client program of `clients/README.md`.

use graceful_tests_peers::callers::{Arguments, run};
use reqwest::{Client, Method};

#[tokio::main]
async fn main() -> Result<(), reqwest::Error> {
    let arguments = Arguments::read();
    let client = Client::builder();
    let client = if arguments.http2 { client.http2_prior_knowledge() } else { client.http1_only() }.build()?;
    let (method, url, body) =
        (if arguments.post { Method::POST } else { Method::GET }, arguments.url.clone(), arguments.body());
    run(&arguments, move || {
        let mut request = client.request(method.clone(), &url);
        if !body.is_empty() {
            request = request.body(body);
        }
        async move {
            let response = request.send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>((status, response.text().await?))
        }
    })
    .await;
    Ok(())
}
