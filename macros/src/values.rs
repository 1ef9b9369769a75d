//! Converts the expressions of keys to the values of the model.

use crate::{
    args::{Given, Key},
    diagnostics::{Diagnostics, listed, nearest},
};
use graceful_plan::duration;
use proc_macro2::{Literal, Span};
use quote::ToTokens;
use std::{fmt::Display, time::Duration};
use syn::{Expr, ExprLit, ExprUnary, Lit, LitStr, UnOp};

/// A duration: a literal, or a const expression that only the compiler can evaluate.
pub(crate) enum Length {
    Literal(Duration, Span),
    Const(Expr),
}

impl Length {
    /// The duration of a literal and its span.
    pub(crate) fn literal(&self) -> Option<(Duration, Span)> {
        match self {
            Self::Literal(length, span) => Some((*length, *span)),
            Self::Const(_) => None,
        }
    }

    /// The expression of a const duration.
    pub(crate) fn expression(&self) -> Option<&Expr> {
        match self {
            Self::Literal(..) => None,
            Self::Const(expr) => Some(expr),
        }
    }
}

/// An order: a literal, or a const expression of type `i32`.
pub(crate) enum Order {
    Literal(i32),
    Const(Expr),
}

/// The kind of an expression.
pub(crate) enum Form<'a> {
    Text(&'a LitStr),
    /// A literal other than a string, or a negative number; holds its name for error messages.
    Literal(&'static str),
    Expression,
}

/// The expression without the invisible groups of `macro_rules!` fragments.
pub(crate) fn ungrouped(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

pub(crate) fn form(expr: &Expr) -> Form<'_> {
    match ungrouped(expr) {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Form::Text(text),
            Lit::Int(_) | Lit::Float(_) => Form::Literal("a number"),
            Lit::Bool(_) => Form::Literal("a boolean"),
            Lit::Char(_) => Form::Literal("a character"),
            Lit::ByteStr(_) | Lit::Byte(_) => Form::Literal("bytes"),
            Lit::CStr(_) => Form::Literal("a C string"),
            _ => Form::Literal("a literal of another kind"),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) if matches!(ungrouped(expr), Expr::Lit(_)) => {
            Form::Literal("a negative number")
        }
        _ => Form::Expression,
    }
}

/// The source text of a value, without the spaces between tokens.
pub(crate) fn source(expr: &Expr) -> String {
    expr.to_token_stream().to_string().replace(' ', "")
}

pub(crate) fn wrong_type(
    expr: &Expr,
    key: &Key,
    takes: &str,
    found: &str,
    fix: impl Display,
    errors: &mut Diagnostics,
) {
    errors.on(expr, format!("`{}` takes {takes}, and this is {found}", key.name), fix);
}

/// Parses a duration literal, or takes a const expression.
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

/// Reports an error for a literal of zero. Returns whether there is no such error.
pub(crate) fn not_zero(length: Option<&Length>, (problem, fix): (&str, &str), errors: &mut Diagnostics) -> bool {
    match length.and_then(Length::literal) {
        Some((length, span)) if length.is_zero() => {
            errors.at(span, problem, fix);
            false
        }
        _ => true,
    }
}

/// Parses a string literal that is one of the table's words.
pub(crate) fn word<T: Copy>(given: &Given<Expr>, words: &[(&'static str, T)], errors: &mut Diagnostics) -> Option<T> {
    let key = given.key;
    let allowed = listed(words.iter().map(|(word, _)| *word));
    let Form::Text(text) = form(&given.value) else {
        let written = source(&given.value);
        let fix = match suggest(&written, words) {
            Some(word) => format!("write `{} = \"{word}\"`; the values are {allowed}", key.name),
            None => format!("write `{}`; the values are {allowed}", key.example),
        };
        errors.on(&given.value, format!("`{}` takes a string", key.name), fix);
        return None;
    };
    let found = text.value();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == found) {
        return Some(*value);
    }
    let fix = match suggest(&found, words) {
        Some(word) => format!("did you mean `{word}`? the values are {allowed}"),
        None => format!("the values are {allowed}"),
    };
    errors.on(text, format!("`{found}` is not a value of `{}`", key.name), fix);
    None
}

/// The word that `found` most likely stands for: the nearest one, or the only one that starts with the same four bytes.
fn suggest<T>(found: &str, words: &[(&'static str, T)]) -> Option<&'static str> {
    let names = || words.iter().map(|(word, _)| *word);
    let mut alike = names().filter(|word| found.get(..4).is_some_and(|start| word.starts_with(start)));
    nearest(found, names()).or_else(|| alike.next().filter(|_| alike.next().is_none()))
}

/// Parses a string literal that is not empty.
pub(crate) fn text(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<Literal> {
    let key = given.key;
    let fix = format!("write `{}`", key.example);
    match form(&given.value) {
        Form::Text(text) if text.value().trim().is_empty() => {
            errors.on(text, format!("`{}` is empty", key.name), format!("{fix}, or omit `{}`", key.name));
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

/// The value of a string literal.
pub(crate) fn string(expr: &Expr) -> Option<String> {
    match form(expr) {
        Form::Text(text) => Some(text.value()),
        _ => None,
    }
}

/// Parses `true` or `false`.
pub(crate) fn boolean(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<bool> {
    let (key, value) = (given.key, ungrouped(&given.value));
    if let Expr::Lit(ExprLit { lit: Lit::Bool(boolean), .. }) = value {
        return Some(boolean.value);
    }
    let written = source(value);
    let meant = match written.trim_matches('"').to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    };
    let fix = match meant {
        Some(meant) => format!("write `{} = {meant}`", key.name),
        None => format!("write `{}`, or omit `{}`", key.example, key.name),
    };
    errors.on(value, format!("`{}` takes a literal `true` or `false`", key.name), fix);
    None
}

/// Parses a positive integer literal of this type.
pub(crate) fn positive<N: TryFrom<u64>>(given: &Given<Expr>, errors: &mut Diagnostics) -> Option<N> {
    let (key, ty) = (given.key, std::any::type_name::<N>());
    let fix = format!("write `{}`", key.example);
    if let Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) = ungrouped(&given.value)
        && (int.suffix().is_empty() || int.suffix() == ty)
    {
        let number = int.base10_parse::<u64>().ok();
        if number == Some(0) {
            errors.on(int, format!("`{}` must be at least 1", key.name), fix);
            return None;
        }
        let number = number.and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            let largest = u64::MAX >> (64 - 8 * size_of::<N>());
            let fix = format!("write a number from 1 to {largest}, such as `{}`", key.example);
            errors.on(int, format!("`{} = {int}` does not fit in a `{ty}`", key.name), fix);
        }
        return number;
    }
    let fix = match form(&given.value) {
        Form::Text(text) if text.value().trim().parse::<u32>().is_ok_and(|n| n > 0) => {
            format!("write `{} = {}`", key.name, text.value().trim())
        }
        _ => fix,
    };
    errors.on(&given.value, format!("`{}` takes a literal positive integer", key.name), fix);
    None
}

/// Parses an `i32` literal, or takes a const expression.
pub(crate) fn order(given: Given<Expr>, errors: &mut Diagnostics) -> Option<Order> {
    let Given { key, value, .. } = given;
    let (number, negative) = match ungrouped(&value) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (ungrouped(expr), true),
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
    wrong_type(&value, key, "an integer", found, fix, errors);
    None
}
