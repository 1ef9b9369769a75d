//! A plan as text.

use super::{
    printed::{Hook, Plan},
    segments::segments,
};
use graceful_plan::duration::Pretty;
use std::fmt::Write;

/// The length of the bar in characters.
const WIDTH: usize = 72;

/// The bar, its segments, and the hooks.
pub(crate) fn text(plan: &Plan) -> String {
    let (segments, period) = (segments(plan), plan.termination_grace_period);
    let mut out = format!("{}: termination grace period {}\n\n  ", plan.package, Pretty(period));
    let column = |at: std::time::Duration| (at.as_secs_f64() / period.as_secs_f64() * WIDTH as f64).round() as usize;
    for segment in &segments {
        let from = column(segment.start);
        // A segment too short for a character is still drawn.
        let length = column(segment.end()).saturating_sub(from).max(1);
        out.extend(std::iter::repeat_n(segment.fill, length));
    }
    let pre_stop = column(plan.pre_stop);
    let _ = write!(
        out,
        "\n  {}^ SIGTERM{}SIGKILL ^\n\n",
        " ".repeat(pre_stop),
        " ".repeat(54usize.saturating_sub(pre_stop))
    );
    for segment in segments {
        let (start, end) = (Pretty(segment.start).to_string(), Pretty(segment.end()).to_string());
        let (fill, name, length) = (segment.fill, segment.name, Pretty(segment.length).to_string());
        let _ = writeln!(out, "  {fill} {name:<9} {length:>7}  {start:>7} to {end:<7}  {}", segment.meaning);
    }
    match plan.hooks.len() {
        0 => out += "\n  no hooks\n",
        count => {
            let _ = writeln!(out, "\n  {count} hook{}", if count == 1 { "" } else { "s" });
        }
    }
    let longest = plan.hooks.iter().map(|hook| hook.name.chars().count()).max().unwrap_or_default();
    for hook in &plan.hooks {
        let Hook { name, order, package, file, line, .. } = hook;
        let _ = writeln!(out, "  {order:>4}  {name:<longest$}  {:>8}  {package}, {file}:{line}", limit(hook));
    }
    out
}

/// How long a hook may take.
pub(crate) fn limit(hook: &Hook) -> String {
    hook.timeout.map_or_else(|| "share".to_owned(), |timeout| Pretty(timeout).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::printed::tests::PRINTED;

    #[test]
    fn the_text_names_each_segment_and_each_hook_with_its_place() {
        let text = text(&Plan::parse(PRINTED).unwrap());
        for part in ["shop: termination grace period 30s", "grace          8s       2s to 10s", "3 hooks"] {
            assert!(text.contains(part), "`{part}` in\n{text}");
        }
        assert!(text.contains("close <pool>     share  pool, pool/src/lib.rs:80"), "{text}");
        assert_eq!(text.lines().nth(2).unwrap().chars().count(), WIDTH + 2);
    }
}
