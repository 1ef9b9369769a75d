//! WebSockets, with tungstenite as the client.

use crate::{example, traffic_address};
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
fn websockets_work_during_grace_and_receive_close_1001_at_the_drain() {
    let app = example!("websocket").start();
    let to = traffic_address(&app);
    let mut sockets: Vec<_> = (0..3).map(|_| connect(to)).collect();
    sockets.iter_mut().for_each(echoes);
    app.begin_shutdown(Signal::TERM);
    sockets.iter_mut().for_each(echoes);
    sockets.push(connect(to)); // grace accepts new WebSockets
    app.logs(&format!("draining: waiting up to 10s for main, connections on {to} (4)"));
    for socket in &mut sockets {
        let Message::Close(Some(close)) = socket.read().unwrap() else { panic!("no Close frame") };
        assert_eq!((close.code, close.reason.as_str()), (CloseCode::Away, "draining"));
        // Waits until the server closes the connection.
        assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    }
    app.end().with_code(0).logs_in_order(&["hooks: nothing is in flight"]);
}

#[test]
fn a_websocket_counts_as_in_flight_until_it_is_closed() {
    let app = example!("websocket").env("GRACEFUL_GRACE", "0s").start();
    let mut socket = connect(traffic_address(&app));
    echoes(&mut socket);
    app.begin_drain();
    wait_for(app.health(), "/readyz?verbose", 503, "in flight: 1 connections on 127.0.0.1:");
    // The server still reads messages that the client sends before it receives the Close.
    socket.send(Message::text("last message")).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(Some(_)))));
    assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    app.end().with_code(0);
}

#[test]
fn a_websocket_without_close_is_cut_at_the_drain_deadline_and_reported() {
    let app = example!("websocket").env("GRACEFUL_GRACE", "0s").env("GRACEFUL_DRAIN", "500ms").start();
    let mut socket = connect(traffic_address(&app));
    echoes(&mut socket);
    app.signal(Signal::TERM);
    let ended = app.end(); // the client reads nothing, so it doesn't respond to Close
    ended.with_code(3);
    assert!(ended.summary().contains("CUT: connections on 127.0.0.1:"), "{}", ended.all());
}
