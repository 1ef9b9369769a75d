//! Closing lingers: a client that sends further requests before it has read the last response sees no reset.

use crate::{
    process::Process,
    recording::Recording,
    request::{get, post},
    run,
    script::Moment,
    settings::Settings,
    smuggling::next,
    transport,
};
use graceful::Phase;
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
};

/// A process and a client of it, on a clock that moves only where a test says so.
struct Conversation {
    process: Process,
    recording: Arc<Recording>,
    client: TcpStream,
}

/// Runs a conversation that begins with this request.
fn converse<F: Future<Output = ()>>(request: Vec<u8>, then: impl FnOnce(Conversation) -> F) {
    run::paused(true, async {
        let (listener, client) = transport::tcp().await;
        let recording = Arc::new(Recording::new(Default::default()));
        let process = Process::start(listener, Settings::default(), recording.clone()).await;
        let mut conversation = Conversation { process, recording, client };
        conversation.client.write_all(&request).await.unwrap();
        then(conversation).await;
    });
}

impl Conversation {
    async fn reads(&mut self, text: &str) {
        let (mut all, mut byte) = (Vec::new(), [0]);
        while !all.ends_with(text.as_bytes()) {
            self.client.read_exact(&mut byte).await.unwrap_or_else(|error| panic!("{}: {error}", all.escape_ascii()));
            all.extend(byte);
        }
    }

    async fn reads_to_the_end(&mut self) -> String {
        let mut text = String::new();
        self.client.read_to_string(&mut text).await.unwrap();
        text
    }

    /// Sends further requests: once the server's socket is closed, each makes it send a reset, which fails the next.
    async fn sends_further_requests(&mut self) -> io::Result<()> {
        for _ in 0..3 {
            self.client.write_all(&next()).await?;
            for _ in 0..100 {
                yield_now().await;
            }
        }
        Ok(())
    }

    async fn drains(&mut self) {
        self.process.begin(Moment::Drain);
        self.process.reaches(Phase::Draining).await;
    }
}

#[test]
fn a_client_that_sends_on_behind_a_response_that_closes_sees_no_reset_for_a_second() {
    converse(get("close").whole(), |mut conversation| async move {
        assert!(conversation.reads_to_the_end().await.ends_with("response 0 to /close\n"));
        conversation.sends_further_requests().await.unwrap();
        tokio::time::advance(Duration::from_millis(900)).await;
        conversation.sends_further_requests().await.unwrap();
        tokio::time::advance(Duration::from_millis(200)).await;
        conversation.sends_further_requests().await.unwrap_err();
    });
}

#[test]
fn the_drain_does_not_wait_for_a_client_that_has_its_response_and_does_not_close() {
    converse(get("late").whole(), |mut conversation| async move {
        conversation.drains().await;
        conversation.recording.release();
        assert!(conversation.reads_to_the_end().await.contains("connection: close"));
        conversation.process.reaches(Phase::Hooks).await;
        conversation.sends_further_requests().await.unwrap();
    });
}

#[test]
fn the_drain_does_not_wait_for_a_client_that_was_asked_to_close_in_grace() {
    converse(get("close").whole(), |mut conversation| async move {
        conversation.reads_to_the_end().await;
        conversation.drains().await;
        conversation.process.reaches(Phase::Hooks).await;
        conversation.sends_further_requests().await.unwrap();
    });
}

#[test]
fn the_drain_waits_for_a_client_that_still_sends_the_body_of_its_request() {
    let request = post("early/stream", crate::request::Framing::Chunked);
    converse(request.head(), |mut conversation| async move {
        conversation.reads("first half, \r\n").await;
        conversation.drains().await;
        conversation.recording.release();
        conversation.reads_to_the_end().await;
        tokio::time::advance(Duration::from_millis(900)).await;
        conversation.sends_further_requests().await.unwrap();
        assert_eq!(conversation.process.phase(), Phase::Draining);
        tokio::time::advance(Duration::from_millis(200)).await;
        conversation.process.reaches(Phase::Hooks).await;
    });
}

#[test]
fn a_response_that_began_before_the_drain_is_not_reset_either() {
    converse(get("stream").whole(), |mut conversation| async move {
        conversation.reads("first half, \r\n").await;
        conversation.drains().await;
        conversation.recording.release();
        assert!(conversation.reads_to_the_end().await.ends_with("\r\n0\r\n\r\n"));
        conversation.sends_further_requests().await.unwrap();
    });
}

#[test]
fn a_connection_that_the_drain_finds_idle_does_not_linger() {
    converse(next(), |mut conversation| async move {
        conversation.reads("response 0 to /next\n").await;
        conversation.drains().await;
        assert_eq!(conversation.reads_to_the_end().await, "");
        conversation.sends_further_requests().await.unwrap_err();
    });
}
