//! The phases of a process's life, and what moves it from one to the next.

use std::fmt;

/// The phases of a process, in order. A process never goes back, and enters each at most once.
///
/// ```
/// use graceful::Phase;
/// assert!(Phase::Serving < Phase::Grace);
/// assert_eq!(Phase::Draining.to_string(), "draining");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Not ready yet: signals and probes are answered, traffic is not expected.
    Starting = 0,
    /// Ready: traffic is served.
    Serving = 1,
    /// A shutdown has begun, and traffic is still served, while load balancers forget the process.
    Grace = 2,
    /// Nothing new is accepted; what is in flight is finished.
    Draining = 3,
    /// The shutdown hooks run.
    Hooks = 4,
    /// Everything is over; the process is about to exit.
    Stopped = 5,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 6] = [Self::Starting, Self::Serving, Self::Grace, Self::Draining, Self::Hooks, Self::Stopped];

    /// The phase's name in logs, probes and reports, such as `draining`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Grace => "grace",
            Self::Draining => "draining",
            Self::Hooks => "hooks",
            Self::Stopped => "stopped",
        }
    }

    /// Whether a shutdown has begun.
    pub const fn is_terminating(self) -> bool {
        self as u8 >= Self::Grace as u8
    }

    /// The phase with this number; numbers above the last one are [`Phase::Stopped`].
    pub(crate) const fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Starting,
            1 => Self::Serving,
            2 => Self::Grace,
            3 => Self::Draining,
            4 => Self::Hooks,
            _ => Self::Stopped,
        }
    }

    /// Where an event leads from here: the total transition function. An event that means nothing here changes nothing.
    pub(crate) const fn after(self, event: Event) -> Self {
        use Event::*;
        match (self, event) {
            (Self::Starting, Ready) => Self::Serving,
            // Nobody was sent here, so nobody has to be told to go elsewhere: no grace.
            (Self::Starting, Stop) => Self::Draining,
            (Self::Serving, Stop) => Self::Grace,
            // Grace serves traffic, and there is nobody left to serve it.
            (Self::Starting | Self::Serving | Self::Grace, MainReturned) => Self::Draining,
            (Self::Grace, GraceOver) => Self::Draining,
            (Self::Grace | Self::Draining, Skip) => Self::Hooks,
            (Self::Draining, Emptied | DrainOver) => Self::Hooks,
            (Self::Hooks, HooksDone) => Self::Stopped,
            (phase, _) => phase,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What can move a process from one phase to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// It serves, or `ctx.ready()` was called, or `main` started with `ready = "on-start"`.
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
    /// The second SIGINT: what is left of grace and drain is skipped.
    Skip,
    /// The last hook has ended or was given up on.
    HooksDone,
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

    #[test]
    fn numbers_and_names_belong_together() {
        for phase in Phase::ALL {
            assert_eq!(Phase::from_u8(phase as u8), phase);
        }
        assert_eq!(Phase::from_u8(77), Stopped);
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
