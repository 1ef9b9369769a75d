//! A client of HTTP/2: hyper's.

use crate::{
    record::{Ended, Exchange, Shared, now},
    scenario::{Client, End, Request},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{net::SocketAddr, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use turmoil::net::TcpStream;

/// Sends the requests on this connection; returns how many were begun.
pub(crate) async fn run(
    stream: TcpStream,
    address: SocketAddr,
    client: &Client,
    requests: &[Request],
    record: &Shared,
) -> usize {
    let end = |ended| {
        record.trace(|| format!("{address}: has ended, {ended:?}"));
        record.on(address, |connection| connection.ended = Some((now(), ended)));
    };
    let Ok((sender, connection)) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await else {
        end(Ended::Reset);
        return 0;
    };
    let mut connection = tokio::spawn(connection);
    let lifetime = match client.end {
        End::Drops(after) => after,
        _ => Duration::MAX,
    };
    let (mut begun, mut open) = (0, JoinSet::new());
    let ended = tokio::select! {
        biased;
        ended = &mut connection => match ended {
            Ok(Ok(())) => Ended::Eof,
            _ => Ended::Reset,
        },
        () = send(sender, address, client, requests, record, &mut begun, &mut open) => Ended::ByClient,
        () = sleep(lifetime) => Ended::ByClient,
    };
    if ended != Ended::ByClient {
        // After GOAWAY, hyper's client takes no further requests, and goes on with those that are open.
        while open.join_next().await.is_some() {}
    }
    connection.abort();
    end(ended);
    begun
}

/// Returns when the client closes the connection.
async fn send(
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    client: &Client,
    requests: &[Request],
    record: &Shared,
    begun: &mut usize,
    open: &mut JoinSet<()>,
) {
    let permits = std::sync::Arc::new(Semaphore::new(client.pipelining));
    for request in requests {
        sleep(request.think).await;
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        if sender.is_closed() {
            break;
        }
        *begun += 1;
        let exchange = Exchange { number: request.number, ..Exchange::default() };
        record.on(address, |connection| connection.exchanges.push(exchange));
        record.trace(|| format!("{address}: sends request {}", request.number));
        let (sender, record, request) = (sender.clone(), record.clone(), request.clone());
        open.spawn(async move {
            exchange_one(sender, &request, &record).await;
            drop(permit);
        });
    }
    while open.join_next().await.is_some() {}
    if client.end != End::Closes {
        std::future::pending::<()>().await; // `sender` keeps the connection open
    }
    drop(sender);
}

async fn exchange_one(mut sender: SendRequest<Full<Bytes>>, request: &Request, record: &Shared) {
    let number = request.number;
    let body = Full::new(Bytes::from(vec![b'.'; request.body.length()]));
    let Ok(request) = hyper::Request::post(format!("http://server/{number}")).body(body) else { return };
    let response = match sender.send_request(request).await {
        Ok(response) => response,
        Err(error) => return record.trace(|| format!("request {number} of HTTP/2 fails: {error:?}")),
    };
    record.exchange(number, |exchange| exchange.has_head = true);
    match response.into_body().collect().await {
        Ok(_) => drop(record.exchange(number, |exchange| exchange.completed = Some(now()))),
        Err(error) => record.trace(|| format!("the response to {number} fails: {error:?}")),
    }
}
