//! A plan as an SVG.

use super::{printed::Plan, segments::segments, text::limit};
use crate::svg::Svg;
use graceful_plan::duration::Pretty;

const WIDTH: f64 = 800.0;
const LEFT: f64 = 20.0;
const BAR: (f64, f64) = (58.0, 34.0);

/// The bar with its legend, and the hooks.
pub(crate) fn svg(plan: &Plan) -> String {
    let (segments, period) = (segments(plan), plan.termination_grace_period);
    let mut svg = Svg::new(WIDTH);
    let x = |at: std::time::Duration| LEFT + at.as_secs_f64() / period.as_secs_f64() * (WIDTH - 2.0 * LEFT);
    let title = format!("{}: termination grace period {}", plan.package, Pretty(period));
    svg.text((LEFT, 24.0), "start", "ink", &title);
    let (top, height) = BAR;
    for segment in &segments {
        let (from, to) = (x(segment.start), x(segment.end()));
        let name = format!("{} {}", segment.name, Pretty(segment.length));
        svg.rect((from, top), ((to - from - 1.0).max(1.0), height), segment.color, &name);
    }
    for (at, anchor, name) in [
        (plan.pre_stop, if plan.pre_stop.is_zero() { "start" } else { "middle" }, "SIGTERM"),
        (period, "end", "SIGKILL"),
    ] {
        svg.vertical(x(at), top - 8.0, top + height + 4.0, "ink");
        svg.text((x(at), top - 12.0), anchor, "ink", name);
    }
    let mut y = top + height + 26.0;
    for segment in &segments {
        svg.rect((LEFT, y - 10.0), (12.0, 12.0), segment.color, "");
        svg.text((LEFT + 20.0, y), "start", "ink", segment.name);
        svg.text((LEFT + 140.0, y), "end", "ink", &Pretty(segment.length).to_string());
        let span = format!("{} to {}", Pretty(segment.start), Pretty(segment.end()));
        svg.text((LEFT + 160.0, y), "start", "faint", &span);
        svg.text((LEFT + 270.0, y), "start", "faint", segment.meaning);
        y += 20.0;
    }
    y += 10.0;
    for hook in &plan.hooks {
        svg.text((LEFT + 12.0, y), "end", "faint", &hook.order.to_string());
        svg.text((LEFT + 20.0, y), "start", "ink", &hook.name);
        svg.text((LEFT + 250.0, y), "end", "ink", &limit(hook));
        let place = format!("{}, {}:{}", hook.package, hook.file, hook.line);
        svg.text((LEFT + 270.0, y), "start", "faint", &place);
        y += 20.0;
    }
    svg.standalone(y, &title)
}
