//! A plan as text.

use super::{
    printed::{Hook, Plan},
    segments::segments,
};
use crate::style::{self, paint};
use graceful_plan::duration::Pretty;
use std::fmt::Write;

/// The length of the bar in characters.
const WIDTH: usize = 72;

/// The bar, its segments, and the hooks.
pub(crate) fn text(plan: &Plan) -> String {
    let (segments, period) = (segments(plan), plan.termination_grace_period);
    let package = paint(style::STRONG, &plan.package);
    let mut out = format!("{package}: termination grace period {}\n\n  ", Pretty(period));
    let column = |at: std::time::Duration| (at.as_secs_f64() / period.as_secs_f64() * WIDTH as f64).round() as usize;
    for segment in &segments {
        let from = column(segment.start);
        // A segment too short for a character is still drawn.
        let length = column(segment.end()).saturating_sub(from).max(1);
        out += &paint(color(segment.name), segment.fill.to_string().repeat(length));
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
        let (fill, name, length) =
            (paint(color(segment.name), segment.fill), segment.name, Pretty(segment.length).to_string());
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

/// The colour of a segment, as far as a terminal has the colours of the drawing.
fn color(name: &str) -> anstyle::Style {
    match name {
        "grace" => style::GOOD,
        "drain" => style::HINT,
        "hooks" => style::FRAME,
        "margin" => style::BAD,
        _ => anstyle::Style::new(),
    }
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
        let text = anstream::adapter::strip_str(&text(&Plan::parse(PRINTED).unwrap())).to_string();
        for part in ["shop: termination grace period 30s", "grace          8s       2s to 10s", "3 hooks"] {
            assert!(text.contains(part), "`{part}` in\n{text}");
        }
        assert!(text.contains("close <pool>     share  pool, pool/src/lib.rs:80"), "{text}");
        assert_eq!(text.lines().nth(2).unwrap().chars().count(), WIDTH + 2);
    }
}
