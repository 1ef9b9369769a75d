//! Values of keys that only `#[graceful::main]` has: an address, signals, crates.

use crate::{
    args::Given,
    diagnostics::{Diagnostics, listed, nearest},
    values::{Form, form, source, ungrouped, wrong_type},
};
use graceful_plan::Health;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Expr, ExprLit, Lit};

/// Parses the address of the health server: an address, a port, or `"off"`. Rejects loopback.
pub(crate) fn health(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<Health> {
    let value = ungrouped(&given.value);
    let health = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(port), .. }) => match port.base10_parse::<u16>() {
            Ok(number) if matches!(port.suffix(), "" | "u16") => Health::port(number),
            _ => {
                let fix = "write a port from 0 to 65535, such as `health = 8081`";
                errors.on(port, format!("`{port}` is not a port"), fix);
                return None;
            }
        },
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match Health::parse(&text.value()) {
            Ok(health) => health,
            Err(error) => {
                errors.on_text(text, &error.to_string());
                return None;
            }
        },
        Expr::Lit(ExprLit { lit: Lit::Bool(on), .. }) => {
            let meant = if on.value { "\"[::]:8081\"" } else { "\"off\"" };
            let fix = format!("write `health = {meant}`");
            wrong_type(value, given.key, "an address, a port or \"off\"", "a boolean", fix, errors);
            return None;
        }
        _ => {
            let fix = "write `health = \"[::]:8081\"`, a port alone such as `health = 8081`, or `health = \"off\"`; \
                       at run time, the environment variable GRACEFUL_HEALTH overrides it";
            errors.on(value, "`health` takes a literal address, port or \"off\"", fix);
            return None;
        }
    };
    if health.is_loopback() {
        let port = match health {
            Health::At(address) => address.port(),
            Health::Off => 0,
        };
        errors.on(
            value,
            format!("the kubelet can't reach a health server on {health}: it probes the pod's address, not its loopback"),
            format!("write `health = \"[::]:{port}\"`; for a local run, the environment variable GRACEFUL_HEALTH may name a loopback address"),
        );
        return None;
    }
    Some(health)
}

/// Parses an array of signal names. Rejects an empty array and duplicates.
pub(crate) fn signals<T: Copy + PartialEq>(
    given: &Given<Expr>,
    words: &[(&'static str, T)],
    errors: &mut Diagnostics,
) -> Option<Vec<T>> {
    let (key, allowed) = (given.key, listed(words.iter().map(|(word, _)| *word)));
    let Expr::Array(array) = ungrouped(&given.value) else {
        let fix = match form(&given.value) {
            Form::Text(text) if words.iter().any(|(word, _)| *word == text.value()) => {
                format!("write `signals = [\"{}\"]`", text.value())
            }
            _ => format!("write `{}`", key.example),
        };
        errors.on(&given.value, "`signals` takes a list of names in brackets", fix);
        return None;
    };
    if array.elems.is_empty() {
        let fix = format!("write `{}`, the default; `graceful::Builder` accepts an empty list", key.example);
        errors.on(array, "`signals` is empty, so no signal would start the shutdown", fix);
        return None;
    }
    let (mut found, mut sound) = (Vec::new(), true);
    for element in &array.elems {
        match signal(element, words, &allowed, errors) {
            Some((word, signal)) if found.contains(&signal) => {
                errors.on(
                    element,
                    format!("`{word}` is given twice"),
                    format!("keep one \"{word}\" and remove the other"),
                );
                sound = false;
            }
            Some((_, signal)) => found.push(signal),
            None => sound = false,
        }
    }
    sound.then_some(found)
}

fn signal<T: Copy>(
    element: &Expr,
    words: &[(&'static str, T)],
    allowed: &str,
    errors: &mut Diagnostics,
) -> Option<(&'static str, T)> {
    let Form::Text(text) = form(element) else {
        let name = source(element);
        let fix = match words.iter().find(|(word, _)| *word == name) {
            Some((word, _)) => format!("write \"{word}\""),
            None => format!("the signals are {allowed}"),
        };
        errors.on(element, "the name of a signal is a string", fix);
        return None;
    };
    let name = text.value();
    if let Some((word, signal)) = words.iter().find(|(word, _)| *word == name) {
        return Some((*word, *signal));
    }
    let upper = name.trim().to_ascii_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    if full == "SIGKILL" || full == "SIGSTOP" {
        let fix = format!("remove it; the signals are {allowed}");
        errors.on(text, format!("no process can handle {full}: the kernel doesn't deliver it"), fix);
        return None;
    }
    let fix = match nearest(&full, words.iter().map(|(word, _)| *word)) {
        Some(word) => format!("did you mean \"{word}\"? the signals are {allowed}"),
        None => format!("the signals are {allowed}"),
    };
    errors.on(text, format!("`{name}` is not a signal that can start a shutdown"), fix);
    None
}

/// Parses a list of crate names. Rejects duplicates.
pub(crate) fn crates(given: Given<TokenStream>, errors: &mut Diagnostics) -> Option<Vec<Ident>> {
    let (mut found, mut sound) = (Vec::<Ident>::new(), true);
    let tokens: Vec<TokenTree> = given.value.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    for element in tokens.split(is_comma).filter(|element| !element.is_empty()) {
        match element {
            [TokenTree::Ident(name)] if found.contains(name) => {
                errors.on(name, format!("`{name}` is given twice"), format!("keep one `{name}` and remove the other"));
                sound = false;
            }
            [TokenTree::Ident(name)] if !["crate", "self", "super", "_"].contains(&name.to_string().as_str()) => {
                found.push(name.clone());
            }
            other => {
                let tokens: TokenStream = other.iter().cloned().collect();
                let written = tokens.to_string().replace(' ', "").replace('-', "_");
                let meant = written.trim_matches('"').trim_start_matches(':').split(':').next().unwrap_or_default();
                let fix = match syn::parse_str::<syn::Ident>(meant) {
                    Ok(name) => format!("write `hooks_from({name})`"),
                    Err(_) => format!("write `{}`", given.key.example),
                };
                errors.on(tokens, "`hooks_from` takes names of crates, as written in code", fix);
                sound = false;
            }
        }
    }
    if sound && found.is_empty() {
        let fix = format!("write `{}`, or omit `hooks_from`", given.key.example);
        errors.on(given.name, "`hooks_from` names no crate", fix);
        return None;
    }
    sound.then_some(found)
}
