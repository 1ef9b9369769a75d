//! Values of keys, from expressions as they were written to what the model holds.

use crate::{
    args::{Given, Key},
    diagnostics::{Diagnostics, listed, nearest},
};
use graceful_plan::{Health, duration};
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::time::Duration;
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

/// A duration: known here, or a const expression that the compiler evaluates later.
pub(crate) enum Length {
    Literal(Duration, Span),
    Const(Expr),
}

/// An order: known here, or a const expression of type `i32`.
pub(crate) enum Order {
    Literal(i32),
    Const(Expr),
}

/// What an expression turned out to be.
enum Form<'a> {
    Text(&'a LitStr),
    /// A literal other than a string, or a negative number.
    Literal(&'static str),
    Expression,
}

/// The expression without the invisible groups that a `macro_rules!` fragment leaves.
fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

fn form(expr: &Expr) -> Form<'_> {
    match bare(expr) {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Form::Text(text),
            Lit::Int(_) | Lit::Float(_) => Form::Literal("a number"),
            Lit::Bool(_) => Form::Literal("a boolean"),
            Lit::Char(_) => Form::Literal("a character"),
            Lit::ByteStr(_) | Lit::Byte(_) => Form::Literal("bytes"),
            Lit::CStr(_) => Form::Literal("a C string"),
            _ => Form::Literal("a literal of another kind"),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if matches!(bare(expr), Expr::Lit(_)) => {
            Form::Literal("a negative number")
        }
        _ => Form::Expression,
    }
}

/// Source text of a value, without the spaces that tokens print.
fn source(expr: &Expr) -> String {
    expr.to_token_stream().to_string().replace(' ', "")
}

fn wrong_type(expr: &Expr, key: &Key, takes: &str, found: &str, fix: String, errors: &mut Diagnostics) {
    errors.on(expr, format!("`{}` takes {takes}, and this is {found}", key.name), fix);
}

/// A duration literal, or a const expression.
pub(crate) fn length(given: Given<Expr>, errors: &mut Diagnostics) -> Option<Length> {
    let Given { key, value, .. } = given;
    match form(&value) {
        Form::Text(text) => match duration::parse(&text.value()) {
            Ok(length) => Some(Length::Literal(length, text.span())),
            Err(error) => {
                errors.on_text(text, &format!("`{}`: {error}", key.name));
                None
            }
        },
        Form::Literal(found) => {
            let written = source(&value);
            let fix = [written.clone(), format!("{written}s")]
                .into_iter()
                .find(|text| found == "a number" && duration::parse(text).is_ok())
                .map_or(format!("write `{}`", key.example), |text| format!("write `{} = \"{text}\"`", key.name));
            wrong_type(&value, key, "a duration in quotes with its unit", found, fix, errors);
            None
        }
        Form::Expression => Some(Length::Const(value)),
    }
}

/// A string literal that is one of a table's words.
pub(crate) fn word<T: Copy>(given: &Given<Expr>, words: &[(&'static str, T)], errors: &mut Diagnostics) -> Option<T> {
    let key = given.key;
    let allowed = listed(words.iter().map(|(word, _)| *word));
    let Form::Text(text) = form(&given.value) else {
        let written = source(&given.value);
        let meant = nearest(&written, words.iter().map(|(word, _)| *word));
        let fix = match meant {
            Some(word) => format!("write `{} = \"{word}\"`; the words are {allowed}", key.name),
            None => format!("write `{}`; the words are {allowed}", key.example),
        };
        errors.on(&given.value, format!("`{}` takes a word in quotes", key.name), fix);
        return None;
    };
    let found = text.value();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == found) {
        return Some(*value);
    }
    let fix = match nearest(&found, words.iter().map(|(word, _)| *word)) {
        Some(word) => format!("did you mean `{word}`? the words are {allowed}"),
        None => format!("the words are {allowed}"),
    };
    errors.on(text, format!("`{found}` is not a word that `{}` knows", key.name), fix);
    None
}

/// A string literal that is not empty.
pub(crate) fn text(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<Literal> {
    let key = given.key;
    let fix = format!("write `{}`", key.example);
    match form(&given.value) {
        Form::Text(text) if text.value().trim().is_empty() => {
            errors.on(text, format!("`{}` is empty", key.name), format!("{fix}, or leave the key out"));
            None
        }
        Form::Text(text) => Some(text.token()),
        Form::Literal(found) => {
            wrong_type(&given.value, key, "a string", found, fix, errors);
            None
        }
        Form::Expression => {
            wrong_type(&given.value, key, "a string", "an expression", fix, errors);
            None
        }
    }
}

/// A positive integer literal.
pub(crate) fn positive(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<usize> {
    let key = given.key;
    if let Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) = bare(&given.value)
        && matches!(int.suffix(), "" | "usize")
        && let Ok(number) = int.base10_parse::<usize>()
    {
        if number == 0 {
            errors.on(int, format!("`{}` is 0, and needs at least one", key.name), format!("write `{}`", key.example));
            return None;
        }
        return Some(number);
    }
    let fix = match form(&given.value) {
        Form::Text(text) if text.value().trim().parse::<usize>().is_ok_and(|n| n > 0) => {
            format!("write `{} = {}`", key.name, text.value().trim())
        }
        _ => format!("write `{}`", key.example),
    };
    errors.on(&given.value, format!("`{}` takes a positive whole number, written out", key.name), fix);
    None
}

/// An `i32` literal, or a const expression.
pub(crate) fn order(given: Given<Expr>, errors: &mut Diagnostics) -> Option<Order> {
    let Given { key, value, .. } = given;
    let (number, negative) = match bare(&value) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (bare(expr), true),
        other => (other, false),
    };
    if let Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) = number {
        let digits = if negative { format!("-{}", int.base10_digits()) } else { int.base10_digits().to_owned() };
        if !matches!(int.suffix(), "" | "i32") {
            let fix = format!("write `order = {digits}`");
            errors.on(&value, format!("`order` is an `i32`, and this is a `{}`", int.suffix()), fix);
            return None;
        }
        return match digits.parse() {
            Ok(order) => Some(Order::Literal(order)),
            Err(_) => {
                let fix = format!("write a number from {} to {}, such as `order = 1`", i32::MIN, i32::MAX);
                errors.on(&value, format!("`order = {digits}` does not fit in an `i32`"), fix);
                None
            }
        };
    }
    let found = match form(&value) {
        Form::Expression => return Some(Order::Const(value)),
        Form::Text(_) => "a string",
        Form::Literal("a number" | "a negative number") => "a fraction",
        Form::Literal(found) => found,
    };
    let fix = match form(&value) {
        Form::Text(text) if text.value().trim().parse::<i32>().is_ok() => {
            format!("write `order = {}`", text.value().trim())
        }
        _ => format!("write `{}`", key.example),
    };
    wrong_type(&value, key, "a whole number", found, fix, errors);
    None
}

/// Where the health server listens: an address, a port, or `"off"`; not on loopback.
pub(crate) fn health(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<Health> {
    let value = bare(&given.value);
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
            errors.on(value, "`health` takes an address, a port or \"off\", written out", fix);
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
            format!("nothing outside of the pod can reach a health server on {health}: the kubelet probes the pod's address, not its loopback"),
            format!("write `health = \"[::]:{port}\"`; for a local run, the environment variable GRACEFUL_HEALTH may name a loopback address"),
        );
        return None;
    }
    Some(health)
}

/// The string literals of an array, each with what the table says it is; refuses an empty array and duplicates.
pub(crate) fn signals<T: Copy + PartialEq>(
    given: &Given<Expr>,
    words: &[(&'static str, T)],
    errors: &mut Diagnostics,
) -> Option<Vec<T>> {
    let (key, allowed) = (given.key, listed(words.iter().map(|(word, _)| *word)));
    let Expr::Array(array) = bare(&given.value) else {
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
        let fix = format!("write `{}`, which is the default; `graceful::Builder` can do without any", key.example);
        errors.on(array, "`signals` is empty, and nothing would ever start the shutdown", fix);
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
        errors.on(element, "a signal is named in quotes", fix);
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
        errors.on(text, format!("no process can handle {full}: the kernel acts on it without asking"), fix);
        return None;
    }
    let fix = match nearest(&full, words.iter().map(|(word, _)| *word)) {
        Some(word) => format!("did you mean \"{word}\"? the signals are {allowed}"),
        None => format!("the signals are {allowed}"),
    };
    errors.on(text, format!("`{name}` is not a signal that can start a shutdown"), fix);
    None
}

/// The crates of a list; each is named once, by its plain name.
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
                errors.on(tokens, "`hooks_from` takes the names of crates, as code names them", fix);
                sound = false;
            }
        }
    }
    if sound && found.is_empty() {
        let fix = format!("write `{}`, or leave it out", given.key.example);
        errors.on(given.name, "`hooks_from` names no crate", fix);
        return None;
    }
    sound.then_some(found)
}
