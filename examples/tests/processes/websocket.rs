//! WebSockets, with tungstenite as the client.

use crate::{example, traffic_of};
use graceful_tests::{Signal, wait_for};
use std::net::{SocketAddr, TcpStream};
use tungstenite::{Error, Message, WebSocket, client, protocol::frame::coding::CloseCode};

fn connect(to: SocketAddr) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(graceful_tests::PATIENCE)).unwrap();
    client(format!("ws://{to}/ws"), stream).unwrap().0
}

#[track_caller]
fn echoes(socket: &mut WebSocket<TcpStream>) {
    socket.send(Message::text("hello")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("hello"));
}

#[test]
fn they_serve_through_grace_and_say_close_1001_at_the_drain() {
    let app = example!("websocket").start();
    let to = traffic_of(&app);
    let mut sockets: Vec<_> = (0..3).map(|_| connect(to)).collect();
    sockets.iter_mut().for_each(echoes);
    app.begin_shutdown(Signal::TERM);
    sockets.iter_mut().for_each(echoes);
    sockets.push(connect(to)); // grace takes new ones too
    app.says("draining: waiting up to 10s for main, 4 of connections on ");
    for socket in &mut sockets {
        let Message::Close(Some(close)) = socket.read().unwrap() else { panic!("not told to close") };
        assert_eq!((close.code, close.reason.as_str()), (CloseCode::Away, "draining"));
        // Goes on until the server has closed the connection too.
        assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    }
    app.end().with_code(0).says_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn one_counts_until_it_is_closed() {
    let app = example!("websocket").env("GRACEFUL_GRACE", "0s").start();
    let mut socket = connect(traffic_of(&app));
    echoes(&mut socket);
    app.begin_drain();
    wait_for(app.health(), "/readyz?verbose", 503, "in flight: 1 connections on 127.0.0.1:");
    // What was on the wire before the client heard of it is still taken.
    socket.send(Message::text("last words")).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(Some(_)))));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    app.end().with_code(0);
}

#[test]
fn one_that_never_closes_is_cut_at_the_drain_deadline_and_named() {
    let app = example!("websocket").env("GRACEFUL_GRACE", "0s").env("GRACEFUL_DRAIN", "500ms").start();
    let mut socket = connect(traffic_of(&app));
    echoes(&mut socket);
    app.signal(Signal::TERM);
    let ended = app.end(); // the client reads nothing, so it answers no Close
    ended.with_code(3);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
}
