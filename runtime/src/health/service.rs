//! Responds to one request for a probe, on the health server or on a user's own router.

use super::{
    decision::Facts,
    probe::Probe,
    response::{render, route},
};
use crate::{context::Context, drain::tracker::FURTHER};
use hyper::{Request, Response};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// How many names of tasks and connections in flight a response shows.
const NAMES: usize = 100;

/// How long a user's own response may take before the default one is sent: the kubelet's timeout is 1 s by default.
const CUSTOM_RESPONSE_TIMEOUT: Duration = Duration::from_millis(200);

/// The response to a request for a probe.
pub(crate) fn respond<B>(context: &Context, request: &Request<B>) -> impl Future<Output = Response<String>> + use<B> {
    let mut decided = route(request, |on| Facts::of(context, on));
    if let Ok((probe, form)) = &mut decided
        && (form.is_detailed() || context.0.probe_responder.get().is_some())
    {
        // Collected only for a response that shows it.
        probe.in_flight = context.0.tracker.remaining();
        let more: usize = probe.in_flight.iter().skip(NAMES).map(|(_, count)| count).sum();
        if more > 0 {
            probe.in_flight.truncate(NAMES);
            probe.in_flight.push((FURTHER.to_owned(), more));
        }
    }
    let context = context.clone();
    async move {
        match decided {
            Ok((probe, form)) => custom_response(&context, &probe).await.unwrap_or_else(|| render(&probe, form)),
            Err(response) => *response,
        }
    }
}

/// The user's own response, if there is one in time. Made on the user's runtime, so that the user's code cannot block
/// this thread.
async fn custom_response(context: &Context, probe: &Probe) -> Option<Response<String>> {
    let (respond, probe) = (context.0.probe_responder.get()?.clone(), probe.clone());
    let mut task = context.0.runtime.spawn(async move { respond(&probe) });
    match timeout(CUSTOM_RESPONSE_TIMEOUT, &mut task).await {
        Ok(response) => response.ok(),
        Err(_) => {
            task.abort(); // has an effect only if the task has not started
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{checks::board::Board, report::recorder::Recorder};
    use graceful_plan::Plan;
    use tokio::runtime::Handle;

    #[tokio::test]
    async fn a_response_shows_a_hundred_names_in_flight_and_counts_the_rest() {
        let board = Board::new([]);
        let (context, _requests) = Context::open(Plan::DEFAULT, false, board, Recorder::new(|_| {}), Handle::current());
        let ask = async |uri| respond(&context, &Request::get(uri).body(()).unwrap()).await.into_body();
        let task = |number: usize| context.0.tracker.guard(format!("task {number}"));
        let mut tasks: Vec<_> = (1..=100).map(task).collect();
        let all = ask("/readyz?verbose").await;
        assert_eq!(all.matches("in flight: 1 task ").count(), 100, "{all}");
        assert!(all.ends_with("in flight: 1 task 100\n"), "{all}");

        tasks.extend((101..=148).map(task));
        tasks.extend([148, 148].map(task)); // two more under a name that is known
        let shown = ask("/readyz?verbose").await;
        assert_eq!(shown.matches("in flight: 1 task ").count(), 100, "{shown}");
        assert!(shown.ends_with("in flight: 1 task 100\nin flight: 50 further tasks and connections\n"), "{shown}");
        assert_eq!(ask("/readyz").await, "starting\n");
    }
}
