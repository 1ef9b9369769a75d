//! Which responses ask their client to reconnect, so that not all clients reconnect at the same moment.

use crate::context::Context;
use hyper::{
    HeaderMap, Response, StatusCode, Version,
    header::{CONNECTION, HeaderValue},
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
#[cfg(feature = "http2")]
use tokio::time::Instant;

/// Decides during grace which responses close their connection: evenly spread, and the same in every run.
///
/// The decisions follow a low-discrepancy sequence (steps of the golden ratio), so that any few responses in a row
/// have the intended share of closes; random numbers have it only on average.
#[derive(Debug, Default)]
pub(crate) struct ClosePacer(AtomicU64);

impl ClosePacer {
    /// The next number of the sequence, from 0 to 1.
    fn number(&self) -> f64 {
        self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed) as f64 / u64::MAX as f64
    }

    /// Whether the next response closes its connection: a share of the responses that rises to all of them over the first
    /// half of grace.
    pub(crate) fn closes_next(&self, context: &Context) -> bool {
        self.closes_next_after(context.since_shutdown().unwrap_or_default(), context.0.plan.grace)
    }

    fn closes_next_after(&self, elapsed: Duration, grace: Duration) -> bool {
        self.number() * grace.as_secs_f64() / 2.0 <= elapsed.as_secs_f64()
    }

    /// A moment in the grace period, evenly spread over the callers; in the past if grace is over.
    #[cfg(feature = "http2")]
    pub(crate) fn moment_in_grace(&self, context: &Context) -> Instant {
        let began = context.0.window.get().map_or_else(Instant::now, |window| window.began);
        began + context.0.plan.grace.mul_f64(self.number())
    }
}

/// Makes this HTTP/1 response the last one of its connection. Other `Connection` options of the response stay.
///
/// A response to an HTTP/1.0 request gets that version: hyper adds `keep-alive` to one of version 1.1.
pub(crate) fn close_after<B>(response: &mut Response<B>, request_version: Version) {
    if request_version == Version::HTTP_10 {
        *response.version_mut() = Version::HTTP_10;
    }
    if !has_close(response.headers()) {
        response.headers_mut().append(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn has_close(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// Whether this response hands the connection over to another protocol.
pub(crate) fn accepts_upgrade(status: StatusCode, connect: bool) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (connect && status.is_success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_more_responses_close_over_the_first_half_of_grace_and_all_of_them_in_the_second() {
        let (pacer, grace) = (ClosePacer::default(), Duration::from_secs(8));
        for (after, of_a_hundred) in [(0, 0), (1, 25), (2, 50), (3, 75), (4, 100), (7, 100), (9, 100)] {
            let closes = (0..100).filter(|_| pacer.closes_next_after(Duration::from_secs(after), grace)).count();
            assert!(closes.abs_diff(of_a_hundred) <= 2, "{closes} of 100 after {after} s");
        }
    }

    #[test]
    fn any_few_responses_in_a_row_are_spread_evenly() {
        let pacer = ClosePacer::default();
        let numbers: Vec<_> = (0..1000).map(|_| pacer.number()).collect();
        for window in numbers.windows(20) {
            let below_half = window.iter().filter(|number| **number < 0.5).count();
            assert!((8..=12).contains(&below_half), "{below_half} of 20");
        }
    }

    #[test]
    fn closing_keeps_the_other_connection_options_and_adds_close_once() {
        let values = |response: &Response<()>| -> Vec<_> {
            response.headers().get_all(CONNECTION).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let mut response = Response::builder().header(CONNECTION, "upgrade").body(()).unwrap();
        close_after(&mut response, Version::HTTP_11);
        close_after(&mut response, Version::HTTP_11);
        assert_eq!((values(&response), response.version()), (vec!["upgrade".into(), "close".into()], Version::HTTP_11));
        let mut response = Response::builder().header(CONNECTION, "Close").body(()).unwrap();
        close_after(&mut response, Version::HTTP_10);
        assert_eq!((values(&response), response.version()), (vec!["Close".into()], Version::HTTP_10));
    }
}
