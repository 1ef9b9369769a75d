//! How long each hook may take: its own timeout, or a fair share of the time that is left.
//!
//! The hooks of one order run together, so a group takes as long as its longest hook. No hook can starve the groups
//! after it: explicit timeouts are kept (cut in proportion where they no longer fit), and what is left over is shared
//! evenly among the groups that have a hook without a timeout.

use std::time::Duration;

/// What one group asks of the time that is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    longest: Duration,
    open: bool,
}

/// What all groups after one ask of the time that is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LaterDemand {
    /// The sum of their longest explicit timeouts.
    explicit: Duration,
    /// How many of them have a hook without a timeout.
    open: u32,
}

impl Demand {
    /// The demand of a group whose hooks have these timeouts.
    pub(crate) fn of(timeouts: impl Iterator<Item = Option<Duration>>) -> Self {
        let none = Self { longest: Duration::ZERO, open: false };
        timeouts.fold(none, |demand, timeout| match timeout {
            Some(timeout) => Self { longest: demand.longest.max(timeout), ..demand },
            None => Self { open: true, ..demand },
        })
    }
}

impl LaterDemand {
    /// The demand of the groups from `demand` on.
    fn and(self, demand: Demand) -> Self {
        Self { explicit: self.explicit.saturating_add(demand.longest), open: self.open + u32::from(demand.open) }
    }
}

/// For each group, its own demand and that of the groups after it. Summed once, from the last group on: there may be
/// thousands of groups.
pub(crate) fn with_later(demands: impl DoubleEndedIterator<Item = Demand>) -> Vec<(Demand, LaterDemand)> {
    let (mut all, mut later) = (Vec::new(), LaterDemand::default());
    for demand in demands.rev() {
        all.push((demand, later));
        later = later.and(demand);
    }
    all.reverse();
    all
}

/// How long a hook with this timeout may take, if `left` is left for its group and the groups after it.
pub(crate) fn time_limit(timeout: Option<Duration>, own: Demand, later: LaterDemand, left: Duration) -> Duration {
    let explicit = later.explicit.saturating_add(own.longest);
    let scale = if explicit > left { left.as_secs_f64() / explicit.as_secs_f64() } else { 1.0 };
    let scaled = |explicit: Duration| explicit.mul_f64(scale).min(left);
    timeout.map_or_else(|| scaled(own.longest) + left.saturating_sub(explicit) / (later.open + 1), scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn demand(secs: u64, open: bool) -> Demand {
        Demand { longest: Duration::from_secs(secs), open }
    }

    fn later(demands: &[Demand]) -> LaterDemand {
        demands.iter().fold(LaterDemand::default(), |later, demand| later.and(*demand))
    }

    #[test]
    fn each_group_knows_what_the_groups_after_it_demand() {
        let group = |timeouts: &[Option<u64>]| Demand::of(timeouts.iter().map(|secs| secs.map(Duration::from_secs)));
        let own = [group(&[Some(3), None]), group(&[None]), group(&[Some(1), Some(2)]), group(&[Some(4)])];
        let seen: Vec<_> = with_later(own.into_iter()).into_iter().map(|(_, later)| later).collect();
        assert_eq!(seen, [later(&own[1..]), later(&own[2..]), later(&own[3..]), LaterDemand::default()]);
        assert_eq!(seen[0], LaterDemand { explicit: Duration::from_secs(6), open: 1 });
    }

    #[test]
    fn time_that_is_left_is_shared_among_groups_without_a_timeout() {
        let secs = Duration::from_secs;
        // 14 s left, 4 s of it promised to a later group: two open groups get 5 s each.
        let rest = later(&[demand(4, false), demand(0, true)]);
        assert_eq!(time_limit(None, demand(0, true), rest, secs(14)), secs(5));
        assert_eq!(time_limit(Some(secs(3)), demand(3, false), later(&[demand(0, true)]), secs(14)), secs(3));
        // Beside an explicit hook, an open one has at least as long.
        assert_eq!(time_limit(None, demand(4, true), later(&[]), secs(14)), secs(14));
        // Too little left: everything is cut in proportion.
        assert_eq!(time_limit(Some(secs(6)), demand(6, false), later(&[demand(6, false)]), secs(6)), secs(3));
        assert_eq!(time_limit(None, demand(0, true), later(&[demand(8, false)]), secs(4)), secs(0));
    }

    proptest! {
        #[test]
        fn groups_that_use_all_of_their_time_never_exceed_the_time_that_is_left(
            left in 0u64..60_000,
            groups in proptest::collection::vec((0u64..20_000, any::<bool>()), 1..8),
        ) {
            let left = Duration::from_millis(left);
            let demands: Vec<_> =
                groups.iter().map(|&(ms, open)| Demand { longest: Duration::from_millis(ms), open }).collect();
            let mut spent = Duration::ZERO;
            for (at, own) in demands.iter().enumerate() {
                let later = later(&demands[at + 1..]);
                let explicit = time_limit(Some(own.longest), *own, later, left.saturating_sub(spent));
                let open = match own.open {
                    true => time_limit(None, *own, later, left.saturating_sub(spent)),
                    false => Duration::ZERO,
                };
                spent += explicit.max(open);
            }
            prop_assert!(spent <= left + Duration::from_micros(1), "{spent:?} of {left:?}");
        }
    }
}
