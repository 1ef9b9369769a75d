//! The arguments of an attribute. Each attribute has one table of keys, used by parsing, error messages, suggestions
//! and the test of the docs. Each key has a slot that is set at most once.
//!
//! Invariants: a key is parsed only if it is in the table, and the model takes every parsed value. In a debug build,
//! dropping [`Args`] with a value left in a slot panics.

use crate::diagnostics::{Diagnostics, listed, nearest};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Expr, Ident, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser, discouraged::Speculative as _},
    token,
};

/// A key of an attribute.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// A complete example: key and value.
    pub(crate) example: &'static str,
    /// Names of this setting in other frameworks.
    foreign: &'static [&'static str],
}

impl Key {
    /// Whether the key takes a list in parentheses, rather than a value after `=`.
    fn is_list(&self) -> bool {
        self.example.contains('(')
    }
}

/// An attribute with its keys.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// As source text: `#[graceful::main]`.
    pub(crate) shown: &'static str,
    /// The signature of a function that the attribute accepts.
    pub(crate) function: &'static str,
    pub(crate) keys: &'static [Key],
}

const fn key(name: &'static str, example: &'static str, foreign: &'static [&'static str]) -> Key {
    Key { name, example, foreign }
}

/// `#[graceful::main]`.
pub(crate) static MAIN: Attribute = Attribute {
    shown: "#[graceful::main]",
    function: "async fn main(ctx: graceful::Context)",
    keys: &[
        key("grace", "grace = \"5s\"", &["grace_period", "delay", "shutdown_delay", "sleep", "linger"]),
        key("quiet", "quiet = \"1s\"", &["quiet_period", "idle", "idle_for", "settle", "quiescence"]),
        key("grace_limit", "grace_limit = \"15s\"", &["max_grace", "grace_max", "longest_grace", "grace_cap"]),
        key(
            "drain",
            "drain = \"10s\"",
            &["timeout", "drain_timeout", "shutdown_timeout", "graceful_timeout", "deadline"],
        ),
        key(
            "termination_grace_period",
            "termination_grace_period = \"30s\"",
            &["termination_grace_period_seconds", "budget", "total", "limit"],
        ),
        key("pre_stop", "pre_stop = \"0s\"", &["pre_stop_hook", "pre_stop_sleep"]),
        key("margin", "margin = \"1s\"", &["reserve", "slack", "safety_margin"]),
        key(
            "health",
            "health = \"[::]:8081\"",
            &["port", "health_port", "addr", "address", "health_address", "listen", "bind", "probe", "probes"],
        ),
        key("ready", "ready = \"on-serve\"", &["readiness"]),
        key("unready", "unready = \"on-signal\"", &["not_ready"]),
        key(
            "liveness_heartbeat",
            "liveness_heartbeat = \"10s\"",
            &["heartbeat", "liveness", "liveness_timeout", "watchdog", "stall"],
        ),
        key("signals", "signals = [\"SIGINT\", \"SIGTERM\"]", &["signal", "on"]),
        key("init", "init = true", &["pid1", "subreaper", "reaper", "reap", "tini"]),
        key("flavor", "flavor = \"multi_thread\"", &["runtime", "scheduler"]),
        key("worker_threads", "worker_threads = 4", &["threads", "core_threads", "workers"]),
        key("max_blocking_threads", "max_blocking_threads = 512", &["blocking_threads", "max_threads"]),
        key("hooks_from", "hooks_from(crate_a, crate_b)", &["hooks", "crates", "link", "require"]),
        key(
            "manifest",
            "manifest = \"deploy/app.yaml\"",
            &["manifests", "deployment", "yaml", "kubernetes", "k8s", "file", "files"],
        ),
        key("container", "container = \"app\"", &["container_name", "pod"]),
        key("dockerfile", "dockerfile = \"Dockerfile\"", &["docker", "containerfile", "image"]),
        key("crate", "crate = ::graceful", &["krate", "package", "path"]),
    ],
};

/// `#[graceful::shutdown_hook]`.
pub(crate) static SHUTDOWN_HOOK: Attribute = Attribute {
    shown: "#[graceful::shutdown_hook]",
    function: "async fn flush()",
    keys: &[
        key("order", "order = 1", &["priority", "prio", "stage", "phase", "sequence", "index", "after", "before"]),
        key("timeout", "timeout = \"3s\"", &["deadline", "grace", "drain", "duration", "max_duration"]),
        key("name", "name = \"flush\"", &["label", "id", "title"]),
        key("crate", "crate = ::graceful", &["krate", "package", "path"]),
    ],
};

/// `#[graceful::health_check]`.
pub(crate) static HEALTH_CHECK: Attribute = Attribute {
    shown: "#[graceful::health_check]",
    function: "async fn db()",
    keys: &[
        key("name", "name = \"db\"", &["label", "id", "title"]),
        key("on", "on = \"readiness\"", &["kind", "probe", "type", "scope", "for", "affects"]),
        key("period", "period = \"10s\"", &["interval", "every", "period_seconds", "frequency", "cache", "ttl"]),
        key("timeout", "timeout = \"1s\"", &["deadline", "timeout_seconds", "limit", "max_duration"]),
        key(
            "failures",
            "failures = 3",
            &["threshold", "failure_threshold", "retries", "attempts", "tries", "max_failures"],
        ),
        key("crate", "crate = ::graceful", &["krate", "package", "path"]),
    ],
};

impl Attribute {
    fn find(&self, name: &str) -> Option<(usize, &'static Key)> {
        self.keys.iter().enumerate().find(|(_, key)| key.name == name)
    }

    /// The key that an unknown name most likely stands for: another framework's name for the key, or a misspelling.
    fn suggest(&self, name: &str) -> Option<(usize, &'static Key)> {
        let foreign = self.keys.iter().position(|key| {
            key.foreign.iter().any(|foreign| foreign.replace('_', "").eq_ignore_ascii_case(&name.replace('_', "")))
        });
        foreign
            .map(|at| (at, &self.keys[at]))
            .or_else(|| nearest(name, self.keys.iter().map(|key| key.name)).and_then(|name| self.find(name)))
    }

    /// The first key, which a value without a key most likely belongs to.
    fn first(&self) -> &'static Key {
        &self.keys[0]
    }

    /// Every key's name and the names of other frameworks for it.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().flat_map(|key| key.foreign.iter().copied().chain([key.name]))
    }

    fn key_list(&self) -> String {
        listed(self.keys.iter().map(|key| key.name))
    }
}

/// A value from the attribute, with its key.
pub(crate) struct Given<T> {
    pub(crate) key: &'static Key,
    /// The key's tokens, for error spans.
    pub(crate) name: Ident,
    pub(crate) value: T,
}

enum Slot {
    Empty,
    /// The key is present and its error is already reported: no further error concerns it.
    Broken,
    Value(Given<Expr>),
    List(Given<TokenStream>),
}

/// The attribute's arguments by key.
pub(crate) struct Args {
    attribute: &'static Attribute,
    slots: Vec<Slot>,
}

impl Args {
    /// Parses the attribute's tokens. An error in one key doesn't affect the other keys.
    pub(crate) fn parse(attribute: &'static Attribute, tokens: TokenStream, errors: &mut Diagnostics) -> Self {
        let mut args = Self { attribute, slots: attribute.keys.iter().map(|_| Slot::Empty).collect() };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if args.parse_one(input, errors).is_err() {
                    skip_to_comma(input);
                }
                match input.parse::<Option<Token![,]>>()? {
                    Some(_) => {}
                    None if input.is_empty() => {}
                    None if next_is_key(input) => {
                        errors.at(input.span(), "a comma is missing before this key", "write `,` between two keys");
                    }
                    None => {
                        errors.at(
                            input.span(),
                            "unexpected tokens after a value",
                            "remove them, or write `,` and a key before them",
                        );
                        skip_to_comma(input);
                        input.parse::<Option<Token![,]>>()?;
                    }
                }
            }
            Ok(())
        };
        // syn reports here what it left in brackets, such as those of an attribute on a value.
        if let Err(error) = parser.parse2(tokens) {
            let fix =
                format!("remove these tokens; {} takes pairs such as `{}`", attribute.shown, attribute.first().example);
            errors.at(error.span(), error, fix);
        }
        args
    }

    /// Parses one `key = value` or `key(list)`. On `Err`, the error is reported and tokens may be left before the comma.
    fn parse_one(&mut self, input: ParseStream<'_>, errors: &mut Diagnostics) -> Result<(), Reported> {
        let Ok(name) = input.call(Ident::parse_any) else {
            return Err(self.without_key(input, errors));
        };
        let found = name.unraw().to_string();
        let Some((at, key)) = self.attribute.find(&found).filter(|_| !input.peek(Token![::])) else {
            return Err(self.unknown(&name, &found, errors));
        };
        let slot =
            if key.is_list() { parse_list(key, name, input, errors) } else { parse_value(key, name, input, errors) };
        match (&self.slots[at], slot) {
            (Slot::Empty, Ok(slot)) => self.slots[at] = slot,
            (Slot::Empty, Err(reported)) => {
                self.slots[at] = Slot::Broken;
                return Err(reported);
            }
            (_, Ok(Slot::Value(Given { name, .. }) | Slot::List(Given { name, .. }))) => {
                errors.on(
                    name,
                    format!("`{found}` is given twice"),
                    format!("keep one `{found}` and remove the other"),
                );
            }
            (_, result) => drop(result?),
        }
        Ok(())
    }

    fn without_key(&mut self, input: ParseStream<'_>, errors: &mut Diagnostics) -> Reported {
        let (attribute, first) = (self.attribute, self.attribute.first());
        if input.peek(syn::Lit) {
            errors.at(
                input.span(),
                format!("{} takes `key = value` pairs, and this value has no key", attribute.shown),
                format!("write `{}`; the keys are {}", first.example, attribute.key_list()),
            );
            self.mark_broken(0);
        } else {
            errors.at(
                input.span(),
                format!("{} takes keys with values", attribute.shown),
                format!("write `{}`; the keys are {}", first.example, attribute.key_list()),
            );
        }
        Reported
    }

    fn unknown(&mut self, name: &Ident, found: &str, errors: &mut Diagnostics) -> Reported {
        let fix = match self.attribute.suggest(found) {
            Some((at, key)) => {
                self.mark_broken(at);
                format!("did you mean `{}`? write `{}`", key.name, key.example)
            }
            None => format!("the keys are {}", self.attribute.key_list()),
        };
        errors.on(name, format!("`{found}` is not a key of {}", self.attribute.shown), fix);
        Reported
    }

    fn mark_broken(&mut self, at: usize) {
        if matches!(self.slots[at], Slot::Empty) {
            self.slots[at] = Slot::Broken;
        }
    }

    /// Whether the key is present with an error that is already reported.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        matches!(self.slots[self.index(name)], Slot::Broken)
    }

    /// Takes the value of a key.
    pub(crate) fn value(&mut self, name: &str) -> Option<Given<Expr>> {
        let at = self.index(name);
        match std::mem::replace(&mut self.slots[at], Slot::Broken) {
            Slot::Value(given) => Some(given),
            other => {
                self.slots[at] = other;
                None
            }
        }
    }

    /// Takes the list of a key.
    pub(crate) fn list(&mut self, name: &str) -> Option<Given<TokenStream>> {
        let at = self.index(name);
        match std::mem::replace(&mut self.slots[at], Slot::Broken) {
            Slot::List(given) => Some(given),
            other => {
                self.slots[at] = other;
                None
            }
        }
    }

    fn index(&self, name: &str) -> usize {
        self.attribute.find(name).expect("the key is in the table").0
    }
}

impl Drop for Args {
    fn drop(&mut self) {
        let left = self.slots.iter().any(|slot| matches!(slot, Slot::Value(_) | Slot::List(_)));
        debug_assert!(!left || std::thread::panicking(), "a value was accepted and ignored");
    }
}

/// Proof that the error is in the collector.
struct Reported;

fn parse_value(
    key: &'static Key,
    name: Ident,
    input: ParseStream<'_>,
    errors: &mut Diagnostics,
) -> Result<Slot, Reported> {
    if !input.peek(Token![=]) {
        errors.on(&name, format!("`{}` takes a value after `=`", key.name), format!("write `{}`", key.example));
        return Err(Reported);
    }
    let ahead = input.fork();
    let value =
        ahead.parse::<Token![=]>().and_then(|_| if at_end(&ahead) { Ok(None) } else { ahead.parse().map(Some) });
    match value {
        Ok(Some(value)) => {
            input.advance_to(&ahead);
            Ok(Slot::Value(Given { key, name, value }))
        }
        Ok(None) => {
            errors.on(&name, format!("`{}` has no value", key.name), format!("write `{}`", key.example));
            Err(Reported)
        }
        Err(error) => {
            errors.at(
                error.span(),
                format!("the value of `{}` can't be parsed: {error}", key.name),
                format!("write `{}`", key.example),
            );
            Err(Reported)
        }
    }
}

fn parse_list(
    key: &'static Key,
    name: Ident,
    input: ParseStream<'_>,
    errors: &mut Diagnostics,
) -> Result<Slot, Reported> {
    if !input.peek(token::Paren) {
        errors.on(&name, format!("`{}` takes a list in parentheses", key.name), format!("write `{}`", key.example));
        return Err(Reported);
    }
    match input.parse::<TokenTree>() {
        Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            Ok(Slot::List(Given { key, name, value: group.stream() }))
        }
        _ => Err(Reported),
    }
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn next_is_key(input: ParseStream<'_>) -> bool {
    input.peek(Ident::peek_any) && (input.peek2(Token![=]) || input.peek2(token::Paren))
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}
