//! A plan as consecutive segments of the termination grace period.

use super::printed::Plan;
use std::time::Duration;

/// A part of the termination grace period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: &'static str,
    /// What happens in it.
    pub(crate) meaning: &'static str,
    /// The name of its color in an SVG.
    pub(crate) color: &'static str,
    /// Its character in a text bar.
    pub(crate) fill: char,
    pub(crate) start: Duration,
    pub(crate) length: Duration,
}

impl Segment {
    pub(crate) fn end(&self) -> Duration {
        self.start + self.length
    }
}

/// The segments of positive length, in order. The margin ends the termination grace period.
pub(crate) fn segments(plan: &Plan) -> Vec<Segment> {
    let hooks = plan.hooks_need();
    let used = plan.pre_stop + plan.grace + plan.drain + hooks + plan.margin;
    let left = plan.termination_grace_period.saturating_sub(used);
    let left_for = match plan.hooks.iter().any(|hook| hook.timeout.is_none()) {
        true => "shared by the hooks without a timeout",
        false => "unused",
    };
    let parts = [
        ("pre_stop", "the pod's preStop hook, before SIGTERM", "pre", '▒', plan.pre_stop),
        ("grace", "serves while load balancers remove the pod", "grace", '█', plan.grace),
        ("drain", "requests in flight end", "drain", '▓', plan.drain),
        ("hooks", "the longest timeout of each order", "hooks", '#', hooks),
        ("left", left_for, "left", '·', left),
        ("margin", "reserved for the exit before SIGKILL", "margin", '!', plan.margin),
    ];
    let mut start = Duration::ZERO;
    let mut segments = Vec::new();
    for (name, meaning, color, fill, length) in parts {
        if !length.is_zero() {
            segments.push(Segment { name, meaning, color, fill, start, length });
        }
        start += length;
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::printed::tests::PRINTED;

    #[test]
    fn segments_fill_the_termination_grace_period_without_gaps() {
        let plan = Plan::parse(PRINTED).unwrap();
        let segments = segments(&plan);
        let names: Vec<_> = segments.iter().map(|segment| segment.name).collect();
        assert_eq!(names, ["pre_stop", "grace", "drain", "hooks", "left", "margin"]);
        assert_eq!(segments[4].length, Duration::from_secs(6));
        assert_eq!(segments[4].meaning, "shared by the hooks without a timeout");
        assert!(segments.windows(2).all(|pair| pair[0].end() == pair[1].start));
        assert_eq!(segments[5].end(), plan.termination_grace_period);
    }
}
