//! Collects the errors of one macro call, so that one compile reports all of them.
//!
//! Invariants: every error ends with the fix, and every collector is finished, so that no error is lost.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::fmt::Display;

/// The errors found so far. Must be finished: in a debug build, dropping an unfinished collector panics.
#[derive(Debug)]
pub(crate) struct Diagnostics {
    errors: Option<syn::Error>,
    finished: bool,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: None, finished: false }
    }

    /// Adds an error at a span: the problem, and what to write instead.
    pub(crate) fn at(&mut self, span: Span, problem: impl Display, fix: impl Display) {
        self.push(syn::Error::new(span, message(problem, fix)));
    }

    /// Adds an error that underlines these tokens.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, problem: impl Display, fix: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message(problem, fix)));
    }

    /// Adds an error text of `graceful_plan`, which has the form `problem; fix`.
    pub(crate) fn on_text(&mut self, tokens: impl ToTokens, text: &str) {
        match text.split_once("; ") {
            Some((problem, fix)) => self.on(tokens, problem, fix),
            None => self.push(syn::Error::new_spanned(tokens, text)),
        }
    }

    /// Adds an error with a complete message.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.errors {
            None => self.errors = Some(error),
            Some(errors) => errors.combine(error),
        }
    }

    /// Returns the value if there are no errors, otherwise the errors as `compile_error!`s.
    ///
    /// Without errors, the value must be `Some`.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, TokenStream> {
        self.finished = true;
        match (self.errors.take(), value) {
            (None, Some(value)) => Ok(value),
            (Some(errors), _) => Err(errors.to_compile_error()),
            (None, None) => Err(syn::Error::new(
                Span::call_site(),
                message(
                    "this attribute was rejected without an error, which is a bug of graceful-macros",
                    "report the bug with this attribute",
                ),
            )
            .to_compile_error()),
        }
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        debug_assert!(self.finished || std::thread::panicking(), "errors were collected but never reported");
    }
}

/// The text of an error: the problem, and what to write instead.
pub(crate) fn message(problem: impl Display, fix: impl Display) -> String {
    format!("{problem}\nhelp: {fix}")
}

/// Names in backticks, separated by commas.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The name that `found` most likely misspells, if one is similar enough.
pub(crate) fn nearest<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = folded(found);
    names
        .into_iter()
        .map(|name| (distance(&found, &folded(name)), name))
        .filter(|(distance, name)| *distance <= (found.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The name without case and separators, which never distinguish two names.
fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The edit distance between two names; a swap of neighbours is one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "never reported"))]
    fn dropping_an_unfinished_collector_panics_in_debug() {
        let mut errors = Diagnostics::new();
        errors.at(Span::call_site(), "wrong", "right");
    }

    #[test]
    fn every_error_is_reported_and_ends_with_its_fix() {
        let mut errors = Diagnostics::new();
        errors.at(Span::call_site(), "one", "fix one");
        errors.on_text(quote::quote!(x), "two; fix two");
        let reported = errors.finish(Some(())).unwrap_err().to_string();
        assert_eq!(reported.matches("compile_error").count(), 2, "{reported}");
        assert!(reported.contains("one\\nhelp: fix one") && reported.contains("two\\nhelp: fix two"), "{reported}");
    }

    #[test]
    fn finish_without_errors_returns_the_value() {
        assert_eq!(Diagnostics::new().finish(Some(3)).unwrap(), 3);
        assert!(Diagnostics::new().finish::<()>(None).unwrap_err().to_string().contains("bug of graceful-macros"));
    }

    #[test]
    fn nearest_finds_misspellings_only() {
        let names = ["grace", "drain", "ready", "unready", "worker_threads", "on-signal"];
        for (found, meant) in [
            ("grce", Some("grace")),
            ("garce", Some("grace")),
            ("Grace", Some("grace")),
            ("darin", Some("drain")),
            ("workerThreads", Some("worker_threads")),
            ("worker_thread", Some("worker_threads")),
            ("on_signal", Some("on-signal")),
            ("unredy", Some("unready")),
            ("xyz", None),
            ("", None),
            ("tls_certificate", None),
        ] {
            assert_eq!(nearest(found, names), meant, "{found}");
        }
    }
}
