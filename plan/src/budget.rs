//! The budget rule: `pre_stop + grace + drain + hooks + margin <= termination_grace_period`.

use crate::{duration::Pretty, error::BudgetError, plan::Plan};
use std::{fmt, time::Duration};

/// The hooks of one order in the budget. They run concurrently, so only the longest timeout counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookGroup {
    /// The order that the hooks share.
    pub order: i32,
    /// The longest explicit timeout in the group; zero if no hook of the group has one.
    pub longest: Duration,
    /// The name of the hook with that timeout.
    pub name: String,
}

/// The budget rule over a plan and its hooks, as a value that can show its own arithmetic.
///
/// ```
/// use graceful_plan::{Budget, Plan};
/// let budget = Budget::new(Plan::DEFAULT, Vec::new());
/// assert!(budget.check().is_ok());
/// assert_eq!(format!("\n{budget}"), "
///   pre_stop                   0s
/// + grace                      5s
/// + drain                     10s
/// + hooks                      0s
/// + margin                     1s
/// = needed                    16s
///   termination_grace_period  30s, 14s left for hooks without a timeout");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    plan: Plan,
    groups: Vec<HookGroup>,
    /// Whether `groups` are all hooks of the program.
    linked: bool,
}

impl Budget {
    /// The budget of this plan with these order groups.
    pub fn new(plan: Plan, groups: Vec<HookGroup>) -> Self {
        Self { plan, groups, linked: true }
    }

    /// The budget of this plan at compile time, when the hooks are unknown: they are collected at link time.
    pub fn before_linking(plan: Plan) -> Self {
        Self { plan, groups: Vec::new(), linked: false }
    }

    /// Whether the plan fits with hooks that take this long. Usable in `const` evaluation.
    pub const fn fits(plan: &Plan, hooks: Duration) -> bool {
        Self::sum(plan, hooks).as_nanos() <= plan.termination_grace_period.as_nanos()
    }

    const fn sum(plan: &Plan, hooks: Duration) -> Duration {
        plan.pre_stop
            .saturating_add(plan.longest_grace())
            .saturating_add(plan.drain)
            .saturating_add(hooks)
            .saturating_add(plan.margin)
    }

    /// The sum of the hooks' explicit timeouts: the longest of each order group.
    pub fn hooks(&self) -> Duration {
        self.groups.iter().fold(Duration::ZERO, |sum, group| sum.saturating_add(group.longest))
    }

    /// The sum of all parts: `pre_stop + grace + drain + hooks + margin`.
    pub fn needed(&self) -> Duration {
        Self::sum(&self.plan, self.hooks())
    }

    /// Applies the rule; returns what is left for hooks without a timeout.
    ///
    /// # Errors
    /// The sum is larger than the termination grace period; the error shows it and what to change.
    pub fn check(&self) -> Result<Duration, BudgetError> {
        let (needed, limit) = (self.needed(), self.plan.termination_grace_period);
        if Self::fits(&self.plan, self.hooks()) {
            return Ok(limit - needed);
        }
        let excess = needed - limit;
        let parts = [
            (grace_name(&self.plan), self.plan.longest_grace()),
            ("drain", self.plan.drain),
            ("pre_stop", self.plan.pre_stop),
            ("the hooks' timeouts", self.hooks()),
        ];
        let shorten = parts
            .into_iter()
            .filter(|(_, length)| *length >= excess)
            .max_by_key(|(_, length)| *length)
            .map(|(name, _)| format!("shorten {name} by {}, or ", Pretty(excess)))
            .unwrap_or_default();
        let hooks = if self.linked { "" } else { "; the timeouts of hooks come on top" };
        let whole = Duration::from_secs(needed.as_secs() + u64::from(needed.subsec_nanos() > 0));
        Err(BudgetError {
            arithmetic: self.to_string(),
            fix: format!(
                "{shorten}set termination_grace_period = \"{}\" in the program and terminationGracePeriodSeconds: {} in the pod's manifest{hooks}",
                Pretty(whole),
                whole.as_secs()
            ),
        })
    }
}

/// The key that bounds the length of grace.
fn grace_name(plan: &Plan) -> &'static str {
    if plan.longest_grace() > plan.grace { "grace_limit" } else { "grace" }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.plan;
        let mut line = |sign: &str, name: &str, length: Duration| writeln!(f, "{sign} {name:<26}{:>3}", Pretty(length));
        line(" ", "pre_stop", plan.pre_stop)?;
        line("+", grace_name(plan), plan.longest_grace())?;
        line("+", "drain", plan.drain)?;
        let mut timed = self.groups.iter().filter(|group| !group.longest.is_zero()).peekable();
        if timed.peek().is_none() {
            line("+", if self.linked { "hooks" } else { "hooks, once linked" }, Duration::ZERO)?;
        }
        for group in timed {
            line("+", &format!("hooks {}: {}", group.order, group.name), group.longest)?;
        }
        line("+", "margin", plan.margin)?;
        line("=", "needed", self.needed())?;
        let (needed, limit) = (self.needed(), plan.termination_grace_period);
        let verdict = if needed <= limit {
            format!("{} left for hooks without a timeout", Pretty(limit - needed))
        } else {
            format!("{} too long", Pretty(needed - limit))
        };
        write!(f, "  {:<26}{:>3}, {verdict}", "termination_grace_period", Pretty(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group(order: i32, secs: u64, name: &str) -> HookGroup {
        HookGroup { order, longest: Duration::from_secs(secs), name: name.to_owned() }
    }

    #[test]
    fn the_default_plan_fits_with_fourteen_seconds_left() {
        assert_eq!(Budget::new(Plan::DEFAULT, Vec::new()).check(), Ok(Duration::from_secs(14)));
    }

    #[test]
    fn a_plan_that_fits_exactly_is_accepted() {
        assert_eq!(Budget::new(Plan::DEFAULT, vec![group(1, 10, "a"), group(2, 4, "b")]).check(), Ok(Duration::ZERO));
    }

    #[test]
    fn an_excess_shows_the_sum_and_what_to_change() {
        let plan = Plan { grace: Duration::from_secs(20), ..Plan::DEFAULT };
        let error = Budget::new(plan, vec![group(1, 3, "flush")]).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the shutdown does not fit into the termination grace period:
  pre_stop                   0s
+ grace                     20s
+ drain                     10s
+ hooks 1: flush             3s
+ margin                     1s
= needed                    34s
  termination_grace_period  30s, 4s too long
shorten grace by 4s, or set termination_grace_period = \"34s\" in the program and terminationGracePeriodSeconds: 34 in the pod's manifest"
        );
    }

    #[test]
    fn an_excess_longer_than_every_part_suggests_a_longer_termination_period_only() {
        let plan = Plan { termination_grace_period: Duration::from_secs(1), ..Plan::DEFAULT };
        let error = Budget::new(plan, Vec::new()).check().unwrap_err();
        assert!(error.fix().starts_with("set termination_grace_period = \"16s\""), "{}", error.fix());
    }

    #[test]
    fn grace_limit_replaces_grace_in_the_budget() {
        let secs = |secs| Some(Duration::from_secs(secs));
        let plan = Plan { quiet: secs(1), grace_limit: secs(25), ..Plan::DEFAULT };
        let error = Budget::new(plan, Vec::new()).check().unwrap_err();
        assert!(
            error.arithmetic().lines().any(|line| line.starts_with("+ grace_limit ") && line.ends_with(" 25s")),
            "{error}"
        );
        assert!(error.fix().starts_with("shorten grace_limit by 6s, or"), "{}", error.fix());
    }

    proptest! {
        #[test]
        fn const_rule_and_displayed_rule_agree(grace in 0u64..100_000, drain in 0u64..100_000, pre in 0u64..100_000, limit in 0u64..400_000, hook in 0u64..100_000) {
            let ms = Duration::from_millis;
            let plan = Plan { grace: ms(grace), drain: ms(drain), pre_stop: ms(pre), termination_grace_period: ms(limit), ..Plan::DEFAULT };
            let budget = Budget::new(plan, vec![HookGroup { order: 1, longest: ms(hook), name: "h".into() }]);
            prop_assert_eq!(budget.check().is_ok(), Budget::fits(&plan, ms(hook)));
            prop_assert_eq!(budget.to_string().contains("too long"), budget.check().is_err());
            // A termination grace period as long as the error suggests makes the plan fit.
            if budget.check().is_err() {
                let needed = budget.needed();
                let fixed = Plan { termination_grace_period: Duration::from_secs(needed.as_secs() + 1), ..plan };
                prop_assert!(Budget::fits(&fixed, ms(hook)));
            }
        }
    }
}
