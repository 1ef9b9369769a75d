//! The transition table: which event leads from which phase to which.

use crate::phase::Phase;

/// An event that can move a process from one phase to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The process serves, `ctx.ready()` was called, or `main` started with `ready = "on-start"`.
    Ready,
    /// The first signal, `ctx.shutdown(..)` or a fatal task.
    Stop,
    /// `main` returned or panicked.
    MainReturned,
    /// The grace period is over.
    GraceOver,
    /// `main` has returned and nothing is in flight.
    Emptied,
    /// The drain deadline.
    DrainOver,
    /// The second SIGINT: the rest of grace and drain is skipped.
    Skip,
    /// The last hook has ended or has timed out.
    HooksDone,
}

impl Phase {
    /// The phase after an event. Total: an event that does not apply to this phase leaves it as it is.
    pub(crate) const fn after(self, event: Event) -> Self {
        use Event::*;
        match (self, event) {
            (Self::Starting, Ready) => Self::Serving,
            // No traffic was routed to a process that was never ready: no grace.
            (Self::Starting, Stop) => Self::Draining,
            (Self::Serving, Stop) => Self::Grace,
            // Grace serves traffic, and `main`, which serves it, has ended: no grace.
            (Self::Starting | Self::Serving | Self::Grace, MainReturned) => Self::Draining,
            (Self::Grace, GraceOver) => Self::Draining,
            (Self::Grace | Self::Draining, Skip) => Self::Hooks,
            (Self::Draining, Emptied | DrainOver) => Self::Hooks,
            (Self::Hooks, HooksDone) => Self::Stopped,
            (phase, _) => phase,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event::*, Phase::*, *};
    use proptest::prelude::*;

    const EVENTS: [Event; 8] = [Ready, Stop, MainReturned, GraceOver, Emptied, DrainOver, Skip, HooksDone];

    #[test]
    fn every_transition_of_the_design() {
        for (from, event, to) in [
            (Starting, Ready, Serving),
            (Starting, Stop, Draining),
            (Starting, MainReturned, Draining),
            (Serving, Stop, Grace),
            (Serving, MainReturned, Draining),
            (Grace, GraceOver, Draining),
            (Grace, MainReturned, Draining),
            (Grace, Skip, Hooks),
            (Grace, Stop, Grace),
            (Draining, Emptied, Hooks),
            (Draining, DrainOver, Hooks),
            (Draining, Skip, Hooks),
            (Draining, Ready, Draining),
            (Hooks, HooksDone, Stopped),
            (Hooks, Skip, Hooks),
        ] {
            assert_eq!(from.after(event), to, "{from} after {event:?}");
        }
    }

    proptest! {
        #[test]
        fn no_order_of_events_leads_backwards(events in proptest::collection::vec(0..EVENTS.len(), 0..40)) {
            let mut phase = Starting;
            for event in events {
                let next = phase.after(EVENTS[event]);
                prop_assert!(next >= phase);
                phase = next;
            }
        }

        #[test]
        fn every_phase_can_still_reach_the_end(start in 0u8..6) {
            let mut phase = Phase::from_u8(start);
            for event in [Stop, Skip, Emptied, HooksDone] {
                phase = phase.after(event);
            }
            prop_assert_eq!(phase, Stopped);
        }
    }
}
