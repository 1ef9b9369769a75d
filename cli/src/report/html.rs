//! A rehearsal as one self-contained page.

use super::{chart, reason::time, summary::Summary, text::facts, verdict::Verdict};
use crate::svg::{COLORS, escape};
use std::fmt::Write;

const STYLE: &str = "\
body{margin:2rem auto;max-width:60rem;padding:0 1rem;background:var(--paper);color:var(--ink);\
font:15px/1.5 ui-sans-serif,system-ui,sans-serif}\
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}.passed{color:var(--ok)}.failed{color:var(--bad)}\
code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}svg{width:100%;height:auto;margin-top:1rem}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
td,th{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:normal}\
th{color:var(--faint);white-space:nowrap}.n{text-align:right}td.bad{color:var(--bad);font-weight:600}\
li{margin:.4rem 0}.advice{color:var(--faint)}.wide{overflow-x:auto}";

/// The page.
pub(crate) fn html(summary: &Summary, verdict: &Verdict) -> String {
    let word = verdict.word();
    let title = format!("Shutdown of {}", summary.subject.command);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{word}: {title}</title>\
         <style>{COLORS}{STYLE}</style></head><body>\n<h1><span class=\"{word}\">{word}</span></h1>\
         <div><code>{command}</code></div>\n",
        title = escape(&title),
        command = escape(&summary.subject.command),
    );
    if !verdict.reasons.is_empty() {
        page += "<ul>\n";
        for reason in &verdict.reasons {
            let (class, kind) = if reason.fails { ("failed", "fail") } else { ("advice", "note") };
            let (text, advice) = (escape(&reason.text), escape(&reason.advice));
            let _ =
                writeln!(page, "<li><b class=\"{class}\">{kind}</b> {text}<div class=\"advice\">{advice}</div></li>");
        }
        page += "</ul>\n";
    }
    page += &chart::element(summary);
    page += "<h2>Numbers</h2>\n<table>\n";
    for (name, value) in facts(summary).into_iter().skip(1) {
        let _ = writeln!(page, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escape(name), escape(&value));
    }
    page += "</table>\n";
    failures(&mut page, summary);
    seconds(&mut page, summary);
    page += "</body></html>\n";
    page
}

fn failures(page: &mut String, summary: &Summary) {
    if summary.failures.is_empty() {
        return;
    }
    *page += "<h2>Failed requests</h2>\n<table><tr><th>how</th><th class=\"n\">requests</th><th class=\"n\">first</th>\
              <th class=\"n\">last</th><th>first error</th></tr>\n";
    for failed in &summary.failures {
        let (name, error) = (escape(&failed.outcome.name()), escape(&failed.error));
        let (count, first, last) = (failed.count, time(failed.first), time(failed.last));
        let _ = writeln!(
            page,
            "<tr><td>{name}</td><td class=\"n\">{count}</td><td class=\"n\">{first}</td><td class=\"n\">{last}</td>\
             <td>{error}</td></tr>"
        );
    }
    *page += "</table>\n";
}

fn seconds(page: &mut String, summary: &Summary) {
    let origin = escape(&summary.origin.name);
    let _ = write!(page, "<h2>By second, relative to {origin}</h2>\n<div class=\"wide\"><table><tr>");
    for name in ["second", "succeeded", "failed", "routed elsewhere", "p50", "p90", "p99", "max"] {
        let _ = write!(page, "<th class=\"n\">{name}</th>");
    }
    *page += "</tr>\n";
    for second in &summary.seconds {
        let latency = |value: u64| if second.latency.max == 0 { "-".to_owned() } else { time(value as i64) };
        let (failed, of) = (second.failed(), second.latency);
        let _ = write!(
            page,
            "<tr><td class=\"n\">{:+}</td><td class=\"n\">{}</td><td class=\"n{}\">{failed}</td><td class=\"n\">{}</td>",
            second.start,
            second.succeeded,
            if failed > 0 { " bad" } else { "" },
            second.elsewhere
        );
        for value in [of.p50, of.p90, of.p99, of.max] {
            let _ = write!(page, "<td class=\"n\">{}</td>", latency(value));
        }
        *page += "</tr>\n";
    }
    *page += "</table></div>\n";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        json,
        outcome::Outcome,
        summary::tests::{record, summary},
    };

    #[test]
    fn the_page_is_self_contained_and_escapes_what_the_program_controls() {
        let records = [record(0, Outcome::Success), record(2_003_000, Outcome::Refused)];
        let mut summary = summary(&records, |shutdown| {
            shutdown.unready = Some((2_000_100, "<script>alert(1)</script>".to_owned()));
        });
        summary.subject.command = "app '<script>'".to_owned();
        let verdict = Verdict::of(&summary);
        for page in [html(&summary, &verdict), chart::document(&summary, &verdict)] {
            assert!(!page.contains("<script"), "{page}");
            assert_eq!(
                page.matches("http").count(),
                page.matches("http://www.w3.org").count() + page.matches("http://127.0.0.1:3000/").count()
            );
            assert!(page.contains("prefers-color-scheme:dark") && page.contains("first failure: connection refused"));
        }
    }

    #[test]
    fn the_json_has_the_numbers() {
        let summary = summary(&[record(0, Outcome::Success), record(2_003_000, Outcome::Refused)], |_| {});
        let report: serde_json::Value = serde_json::from_str(&json::json(&summary, &Verdict::of(&summary))).unwrap();
        assert_eq!((&report["verdict"], &report["requests"]["failed"]), (&"failed".into(), &1.into()));
        assert_eq!(
            (&report["shutdowns"][0]["exit_code"], &report["shutdowns"][0]["unready"]),
            (&0.into(), &10.0.into())
        );
        assert_eq!(report["seconds"][1]["failures"]["connection refused"], 1);
    }
}
