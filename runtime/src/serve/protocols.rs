//! How a server speaks HTTP: hyper's settings.

use hyper::server::conn::http1;
#[cfg(feature = "http2")]
use hyper::server::conn::http2;
#[cfg(feature = "http2")]
use hyper_util::rt::{TokioExecutor, TokioTimer};
#[cfg(feature = "http2")]
use std::time::Duration;

/// How a server speaks HTTP.
pub(crate) struct Protocols {
    pub(crate) http1: http1::Builder,
    #[cfg(feature = "http2")]
    pub(crate) http2: http2::Builder<TokioExecutor>,
}

impl Default for Protocols {
    /// hyper's own settings; with pings that notice a client that is gone.
    fn default() -> Self {
        Self {
            http1: http1::Builder::new(),
            #[cfg(feature = "http2")]
            http2: with_pings(),
        }
    }
}

#[cfg(feature = "http2")]
fn with_pings() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
