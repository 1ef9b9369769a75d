//! A rehearsal as a drawing: the timeline, throughput and latency by second.

use super::{
    log::Shutdown,
    reason::{relative, time},
    summary::{Second, Summary},
    text::exit,
    verdict::Verdict,
};
use crate::svg::Svg;

const WIDTH: f64 = 840.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const ROW: f64 = 16.0;
const BAND: f64 = 22.0;
const PANEL: f64 = 110.0;
/// The width of a character, roughly.
const CHARACTER: f64 = 6.2;
/// The phases of a shutdown as clients see it, and their colors.
const PHASES: [(&str, &str); 4] = [
    ("serving", "ok"),
    ("clients still connect", "grace"),
    ("no new clients", "drain"),
    ("gone, clients still connect", "bad"),
];
const LABEL: &str = "A shutdown under load: timeline, requests per second and latency";

/// The drawing as a document of its own.
pub(crate) fn document(summary: &Summary, verdict: &Verdict) -> String {
    let mut chart = Chart::new(summary);
    let mut title = format!("{}: {} of {} requests failed", verdict.word(), summary.failed(), summary.sent);
    match summary.single() {
        Some(shutdown) => title += &format!(", {} after {}", exit(shutdown), shutdown.signal),
        None => title += &format!(", {} restarts", summary.shutdowns.len()),
    }
    chart.svg.text((LEFT, 22.0), "start", if verdict.passed() { "ok" } else { "bad" }, &title);
    chart.y += 14.0;
    chart.draw();
    chart.svg.standalone(chart.y, LABEL)
}

/// The drawing as an element of a page.
pub(crate) fn element(summary: &Summary) -> String {
    let mut chart = Chart::new(summary);
    chart.draw();
    chart.svg.element(chart.y, LABEL)
}

struct Chart<'a> {
    summary: &'a Summary,
    svg: Svg,
    /// The seconds at the left and the right edge, relative to the signal.
    from: f64,
    to: f64,
    y: f64,
}

impl<'a> Chart<'a> {
    fn new(summary: &'a Summary) -> Self {
        let starts = || summary.seconds.iter().map(|second| second.start);
        let propagation = summary.subject.propagation;
        let ends = summary.shutdowns.iter().map(|one| summary.relative(one.exited.max(one.sent + propagation)));
        let exit = ends.max().unwrap_or_default() as f64 / 1e6;
        let from = starts().min().unwrap_or(-1).min(-1) as f64;
        let to = (starts().max().unwrap_or(0) as f64 + 1.0).max(exit);
        Self { summary, svg: Svg::new(WIDTH), from, to, y: 10.0 }
    }

    fn x(&self, second: f64) -> f64 {
        LEFT + (second - self.from) / (self.to - self.from) * (WIDTH - LEFT - RIGHT)
    }

    fn draw(&mut self) {
        self.timeline();
        let most = self.summary.seconds.iter().map(total).max().unwrap_or_default().max(1);
        let legend = [("succeeded", "ok"), ("failed", "bad"), ("routed elsewhere", "faint")];
        self.panel("requests per second", &legend, &most.to_string());
        self.bars(most as f64);
        let summary = self.summary;
        let latency = |second: &Second| second.latency.p99;
        let most = summary.seconds.iter().map(latency).max().unwrap_or_default().max(1);
        self.panel(
            "latency of the requests due in each second",
            &[("p50", "blue"), ("p99", "mark")],
            &time(most as i64),
        );
        self.curve(|second| second.latency.p99, most as f64, "mark");
        self.curve(|second| second.latency.p50, most as f64, "blue");
        self.axis();
    }

    /// The events, each in a row of its own, and the phases of each shutdown as a band.
    fn timeline(&mut self) {
        let summary = self.summary;
        let mut events = Vec::new();
        if let Some(shutdown) = summary.single() {
            events.push((0, shutdown.signal.to_owned(), "ink"));
            if let (Some(at), Some((_, how))) = (shutdown.unready_after(), &shutdown.unready) {
                events.push((at as i64, format!("unready ({how}) after {}", time(at as i64)), "ink"));
            }
        }
        if let Some(first) = summary.failures.first() {
            let when = match first.first {
                ..0 => relative(first.first, "the signal"),
                after => format!("after {}", time(after)),
            };
            let name = format!("first failure: {} {when}", first.outcome.name());
            events.push((first.first, name, "bad"));
        }
        if let Some(shutdown) = summary.single() {
            if let Some(last) = summary.last_success {
                events.push((last, format!("last successful request after {}", time(last)), "ink"));
            }
            let after = shutdown.exit_after() as i64;
            events.push((after, format!("{} after {}", exit(shutdown), time(after)), "ink"));
        }
        // The earliest is at the top, so that no line crosses the words of a later event, which stand at its right.
        events.sort_by_key(|(at, ..)| *at);
        let top = self.y;
        let band = top + events.len() as f64 * ROW + 6.0;
        let rows = || events.iter().zip(1..).map(|(event, row)| (event, top + f64::from(row) * ROW));
        for ((at, _, color), y) in rows() {
            self.svg.vertical(self.x(*at as f64 / 1e6), y - 10.0, band, color);
        }
        for ((at, name, color), y) in rows() {
            let x = self.x(*at as f64 / 1e6);
            let ends = x + 5.0 + name.len() as f64 * CHARACTER > WIDTH;
            let (at, anchor) = if ends { (x - 5.0, "end") } else { (x + 5.0, "start") };
            self.svg.label((at, y), anchor, color, name);
        }
        self.y = band;
        if summary.single().is_none() {
            // Bands of several shutdowns are too short for names.
            self.legend(self.y + 8.0, PHASES);
            self.y += ROW;
        }
        for shutdown in &summary.shutdowns {
            self.band(shutdown);
        }
    }

    /// The phases of one shutdown.
    fn band(&mut self, shutdown: &Shutdown) {
        let second = |at: u64| self.summary.relative(at) as f64 / 1e6;
        let removed = shutdown.sent + self.summary.subject.propagation;
        let (sent, exited, removed) = (second(shutdown.sent), second(shutdown.exited), second(removed));
        let times = [self.from, sent, removed.min(exited), exited, removed.max(exited)];
        if self.summary.single().is_none() {
            self.svg.text((LEFT - 6.0, self.y + 15.0), "end", "faint", short(&shutdown.name));
        }
        for ((name, color), edges) in PHASES.into_iter().zip(times.windows(2)) {
            let (left, right) = (self.x(edges[0]), self.x(edges[1]));
            if right > left {
                self.svg.rect((left, self.y), (right - left, BAND), color, name);
                if right - left > name.len() as f64 * CHARACTER {
                    self.svg.text(((left + right) / 2.0, self.y + 15.0), "middle", "paper", name);
                }
            }
        }
        self.y += BAND + 2.0;
    }

    /// The frame of a panel with a title; moves to its bottom.
    fn panel(&mut self, title: &str, legend: &[(&str, &str)], most: &str) {
        self.y += 30.0;
        self.legend(self.y - 6.0, [(title, "ink")].into_iter().chain(legend.iter().copied()));
        self.svg.text((LEFT - 6.0, self.y + 10.0), "end", "faint", most);
        self.svg.text((LEFT - 6.0, self.y + PANEL), "end", "faint", "0");
        self.svg.rect((LEFT, self.y + PANEL), (WIDTH - LEFT - RIGHT, 1.0), "line", "");
        self.svg.vertical(self.x(0.0), self.y, self.y + PANEL, "ink");
        self.y += PANEL;
    }

    /// A line of words in their colors.
    fn legend<'w>(&mut self, y: f64, words: impl IntoIterator<Item = (&'w str, &'w str)>) {
        let mut x = LEFT;
        for (word, color) in words {
            self.svg.text((x, y), "start", color, word);
            x += word.len() as f64 * CHARACTER + 16.0;
        }
    }

    fn bars(&mut self, most: f64) {
        for second in &self.summary.seconds {
            let (left, right) = (self.x(second.start as f64), self.x(second.start as f64 + 1.0));
            let mut bottom = self.y;
            let parts = [
                (second.succeeded, "ok", "succeeded"),
                (second.failed(), "bad", "failed"),
                (second.elsewhere, "left", "routed elsewhere"),
            ];
            for (count, color, name) in parts.into_iter().filter(|(count, ..)| *count > 0) {
                // One failure in a thousand requests stays visible.
                let height = (count as f64 / most * PANEL).max(if color == "bad" { 3.0 } else { 0.0 });
                bottom -= height;
                let title = format!("second {:+}: {count} {name}", second.start);
                self.svg.rect((left + 0.5, bottom), ((right - left - 1.0).max(0.5), height), color, &title);
            }
        }
    }

    fn curve(&mut self, value: impl Fn(&Second) -> u64, most: f64, color: &str) {
        let mut run = Vec::new();
        for second in &self.summary.seconds {
            // A second without a successful request has no latency and interrupts the line.
            if second.latency.max == 0 {
                self.svg.line(&std::mem::take(&mut run), color);
                continue;
            }
            run.push((self.x(second.start as f64 + 0.5), self.y - value(second) as f64 / most * PANEL));
        }
        self.svg.line(&run, color);
    }

    fn axis(&mut self) {
        let steps = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0];
        let step = steps.into_iter().find(|step| (self.to - self.from) / step <= 14.0).unwrap_or(3600.0);
        self.y += 16.0;
        let mut at = (self.from / step).ceil() * step;
        let zero = if self.summary.in_cluster() { "0 s" } else { "signal" };
        while at <= self.to {
            let x = self.x(at);
            let anchor = if x > WIDTH - 30.0 { "end" } else { "middle" };
            self.svg.text((x, self.y), anchor, "faint", &if at == 0.0 { zero.to_owned() } else { format!("{at:+} s") });
            at += step;
        }
        self.y += 10.0;
    }
}

/// The name of a copy where there is little room: the last part of the name of a pod.
fn short(name: &str) -> &str {
    if name.len() as f64 * CHARACTER <= LEFT - 6.0 { name } else { name.rsplit('-').next().unwrap_or(name) }
}

fn total(second: &Second) -> u64 {
    second.succeeded + second.elsewhere + second.failed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        outcome::Outcome,
        summary::tests::{record, summary},
    };

    /// The height of the label that begins with these words.
    fn height(svg: &str, words: &str) -> f64 {
        let (before, _) = svg.split_once(&format!(">{words}")).unwrap();
        before.rsplit_once("y=\"").unwrap().1.split('"').next().unwrap().parse().unwrap()
    }

    #[test]
    fn earlier_events_stand_above_later_ones() {
        let records = [record(500_000, Outcome::Refused), record(3_000_000, Outcome::Success)];
        let svg = element(&summary(&records, |_| {}));
        let order = ["first failure", "SIGTERM", "unready", "last successful", "exit code 0"];
        let heights = order.map(|words| height(&svg, words));
        assert!(heights.is_sorted_by(|one, next| one < next), "{heights:?}");
    }

    #[test]
    fn the_latency_of_a_single_second_is_drawn() {
        let dots = |records: &[_]| element(&summary(records, |_| {})).matches("<circle ").count();
        let second = |at: u64| record(at * 1_000_000 + 500_000, Outcome::Success);
        let failed = record(2_500_000, Outcome::Refused);
        assert_eq!(dots(&[second(0)]), 2);
        assert_eq!(dots(&[second(0), second(1)]), 0);
        assert_eq!(dots(&[second(0), second(1), failed, second(3)]), 2);
    }
}
