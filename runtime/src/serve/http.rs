//! One HTTP/1.1 connection's task: hyper speaks, the population's verdict decides how long.
//!
//! How a connection is told to go, with nothing around a request while the server serves: hyper itself says
//! `Connection: close` in every answer whose head it writes after it was asked to finish.
//!
//! - A request is in flight and its answer has not begun: hyper is asked to finish, and that is all.
//! - The next request begins to arrive: its first bytes are withheld, and hyper is asked to finish. If it was idle, it
//!   ends at once; its stream is taken back, and a new hyper connection that takes one request begins with these bytes.
//!   If it was streaming an answer, it ends behind that, and the rest is the same.
//! - Nothing arrives until the drain: hyper is asked to finish, the socket is asked whether it holds a request after
//!   all, and if not, the connection is closed.
//!
//! So hyper never closes a connection in whose socket or buffer a request waits.

use super::{
    listener::Stream,
    mode::{Mode, Verdict},
    population::Conn,
    service::{HttpService, Noted},
    stream::Watched,
};
use hyper::{rt::Write, server::conn::http1};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

type Http1<S, T> = http1::UpgradeableConnection<Watched<S>, Noted<T>>;

/// The task of an HTTP/1.1 connection.
pub(super) struct Driver<S: Stream, T: HttpService> {
    conn: Arc<Conn>,
    stage: Stage<S, T>,
}

#[expect(clippy::large_enum_variant, reason = "it is the large one until the very end")]
enum Stage<S: Stream, T: HttpService> {
    Serving(Http1<S, T>),
    Closing(Watched<S>),
    Over,
}

/// How hyper ended after it was asked to finish, where no answer said so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    /// At once: it was idle.
    Idle,
    /// The same, and its time to become busy was up.
    Stalled,
    /// Behind the answer that it was streaming.
    Streaming,
}

impl<S: Stream, T: HttpService> Driver<S, T> {
    pub(super) fn new(io: Watched<S>, service: T) -> Self {
        let conn = io.member().conn.clone();
        let noted = Noted::new(service, conn.clone());
        let stage = serving(io, noted, &conn.server.protocols.http1);
        Self { conn, stage }
    }

    /// Polls where there is something to look for: before hyper is polled, so that an answer which is about to begin
    /// says what is to be said, and after that. `ended` is what hyper's poll has come to, if it was polled.
    #[cold]
    #[inline(never)]
    fn poll_watchfully(&mut self, mut ended: Option<Poll<bool>>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(Poll::Ready(cleanly)) = ended {
                self.end(cleanly, Was::Streaming, cx);
            } else if matches!(self.stage, Stage::Serving(_)) {
                // Where no answer can begin, hyper looks for the next request first: its stream may know of more than
                // the socket does, as TLS does. And a hyper that was never polled would end without a look at what
                // its stream begins with.
                let activity = &self.conn.activity;
                let may_turn = ended.is_some() || (!activity.is_new() && activity.is_unanswered());
                match self.conn.verdict() {
                    Verdict::End => return Poll::Ready(()),
                    Verdict::Turn if may_turn && !activity.has_turned() => self.turn(cx),
                    _ if ended.is_some() => return Poll::Pending,
                    _ => {}
                }
            }
            ended = match &mut self.stage {
                Stage::Serving(http) => Some(Pin::new(http).poll(cx).map(|ended| ended.is_ok())),
                Stage::Closing(io) => return Pin::new(io).poll_shutdown(cx).map(drop),
                Stage::Over => return Poll::Ready(()),
            };
        }
    }

    /// Asks hyper to finish, and looks how it takes that.
    fn turn(&mut self, cx: &mut Context<'_>) {
        let Stage::Serving(http) = &mut self.stage else { return };
        let was = if self.conn.activity.is_suspect() { Was::Stalled } else { Was::Idle };
        let told = self.conn.activity.begin_turn();
        let mut http = Pin::new(http);
        http.as_mut().graceful_shutdown();
        if !told && let Poll::Ready(ended) = http.poll(cx) {
            self.end(ended.is_ok(), was, cx);
        }
    }

    /// hyper has ended: what it closed is closed, unless it was only asked whether it was idle.
    #[cold]
    #[inline(never)]
    fn end(&mut self, cleanly: bool, was: Was, cx: &mut Context<'_>) {
        let Stage::Serving(http) = mem::replace(&mut self.stage, Stage::Over) else { return };
        let activity = &self.conn.activity;
        let (mut io, read, service) = match http.into_parts() {
            // How a connection fails is between hyper and the client.
            Some(_) if !cleanly || !activity.is_turning() => return,
            Some(parts) => (parts.io, parts.read_buf, parts.service),
            None => {
                let offer = self.conn.server.offers.take(activity);
                if activity.is_upgraded() {
                    return activity.on_upgrade(); // whoever owns it now
                }
                match offer.and_then(|offer| offer.take_back::<Watched<S>, T>(cx)) {
                    Some((parts, service)) => (parts.io, parts.read_buf, Noted::new(service, self.conn.clone())),
                    None => return,
                }
            }
        };
        if !activity.is_turning() {
            self.stage = Stage::Closing(io); // hyper has not closed what it handed over
            return;
        }
        io.put_back(&read);
        let was_early = activity.end_turn();
        let draining = self.conn.server.mode() >= Mode::Drain;
        // What is left of a body that nobody wanted is no request.
        let may_go_on = was != Was::Streaming || !was_early;
        if may_go_on && (io.unread() > 0 || (draining && io.reads_more() > 0)) {
            self.conn.activity.on_last_begin(io.unread(), was == Was::Stalled);
            let mut http1 = self.conn.server.protocols.http1.clone();
            self.stage = serving(io, service, http1.keep_alive(false));
        } else if was != Was::Streaming && !draining {
            // Nothing ends an idle one before the drain.
            self.conn.activity.on_new_begin();
            self.stage = serving(io, service, &self.conn.server.protocols.http1);
        } else if !io.ends_by_drop() {
            self.stage = Stage::Closing(io);
        }
    }
}

fn serving<S: Stream, T: HttpService>(io: Watched<S>, service: Noted<T>, http1: &http1::Builder) -> Stage<S, T> {
    Stage::Serving(http1.serve_connection(io, service).with_upgrades())
}

impl<S: Stream, T: HttpService> Future for Driver<S, T> {
    type Output = ();

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Stage::Serving(http) = &mut this.stage else { return this.poll_watchfully(None, cx) };
        if !this.conn.server.is_serving() {
            return this.poll_watchfully(None, cx);
        }
        let ended = Pin::new(http).poll(cx);
        if ended.is_pending() && this.conn.activity.is_answered() {
            return Poll::Pending; // in the middle of a connection's life
        }
        this.poll_watchfully(Some(ended.map(|ended| ended.is_ok())), cx)
    }
}
