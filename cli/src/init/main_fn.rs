//! `#[tokio::main]` becomes `#[graceful::main]`.

use super::{source::range, step::Edit, survey::Survey};
use std::collections::BTreeSet;
use syn::{Attribute, Expr, ItemFn, Lit, Meta, MetaNameValue, ReturnType, Token, Type, punctuated::Punctuated};

/// The signals that start a shutdown by default.
const DEFAULT_SIGNALS: [&str; 2] = ["SIGINT", "SIGTERM"];

/// Attributes of other runtimes and frameworks.
const OTHERS: [(&str, &str); 8] = [
    ("actix_web::main", ACTIX),
    ("actix_rt::main", ACTIX),
    ("rocket::main", ROCKET),
    ("rocket::launch", ROCKET),
    ("async_std::main", OTHER_RUNTIME),
    ("smol_potat::main", OTHER_RUNTIME),
    ("compio::main", OTHER_RUNTIME),
    ("tokio_uring::main", OTHER_RUNTIME),
];
const ACTIX: &str = "write `#[graceful::main] async fn main(ctx: graceful::Context)`, switch the signal handling of \
    actix off with `.disable_signals()`, and stop the server's handle once `ctx.draining()` resolves; the repository has \
    examples/frameworks/actix.rs";
const ROCKET: &str = "write `#[graceful::main] async fn main(ctx: graceful::Context)`, switch the signal handling of \
    Rocket off, and notify its shutdown handle once `ctx.draining()` resolves; the repository has \
    examples/frameworks/rocket.rs";
const OTHER_RUNTIME: &str = "`graceful` runs `main` on tokio; move the program to tokio first";
const SYNC: &str = "write `#[graceful::main] async fn main()`, which starts the runtime, and await in it what `block_on` \
    runs. A runtime that needs its own settings: `graceful::Builder`";

/// What becomes of `main`.
pub(crate) enum Main {
    /// `#[graceful::main]` is there.
    Converted,
    /// The attribute that is converted, and the settings that it keeps, as they are written.
    Tokio { attribute: std::ops::Range<usize>, keys: Vec<String> },
    /// Why `main` is not converted, and what to do.
    ByHand(String, String),
}

/// What `main` is, and how it is converted.
pub(crate) fn check(survey: &Survey<'_>, main: &ItemFn, library: &str) -> Main {
    let by_hand = |why: &str, instead: &str| Main::ByHand(why.to_owned(), instead.to_owned());
    for attribute in &main.attrs {
        let path = survey.resolve(0, attribute.path());
        if path == format!("{library}::main") {
            return Main::Converted;
        }
        if path == "tokio::main" {
            return tokio(survey, main, attribute);
        }
        if let Some((name, instead)) = OTHERS.iter().find(|(name, _)| *name == path) {
            return by_hand(&format!("`#[{name}]` is not tokio's attribute"), instead);
        }
    }
    let tokens = survey.sources[0].tokens_in(&range(main));
    let builds = |names: &[&str]| tokens.iter().any(|token| names.contains(&token.text.as_str()));
    if main.sig.asyncness.is_some() {
        by_hand("the attribute that starts the runtime of `main` is not known", SYNC)
    } else if builds(&["block_on"]) {
        by_hand("`main` builds its runtime itself", SYNC)
    } else {
        by_hand("`main` is not async", SYNC)
    }
}

fn tokio(survey: &Survey<'_>, main: &ItemFn, attribute: &Attribute) -> Main {
    let source = &survey.sources[0];
    let by_hand = |why: String| {
        let instead = "write `#[graceful::main]`; its keys `flavor`, `worker_threads` and `max_blocking_threads` configure \
                       the runtime";
        Main::ByHand(why, instead.to_owned())
    };
    if main.sig.asyncness.is_none() {
        return by_hand("`main` is not async".to_owned());
    }
    if let ReturnType::Type(_, ty) = &main.sig.output
        && !matches!(**ty, Type::Path(_) | Type::Tuple(_))
    {
        return by_hand(
            "`main` returns something else than `()`, a Result or an ExitCode, which `graceful` takes".to_owned(),
        );
    }
    let pairs = match &attribute.meta {
        Meta::List(list) => match list.parse_args_with(Punctuated::<MetaNameValue, Token![,]>::parse_terminated) {
            Ok(pairs) => pairs,
            Err(_) => return by_hand("the arguments of `#[tokio::main]` are not `key = value`".to_owned()),
        },
        _ => Punctuated::new(),
    };
    let mut keys = Vec::new();
    for pair in &pairs {
        let key = source.slice(range(&pair.path));
        let literal = match &pair.value {
            Expr::Lit(literal) => Some(&literal.lit),
            _ => None,
        };
        match (key, literal) {
            ("flavor", Some(Lit::Str(flavor))) if matches!(&*flavor.value(), "multi_thread" | "current_thread") => {
                keys.push(source.slice(range(pair)).to_owned());
            }
            ("worker_threads", Some(Lit::Int(number))) if matches!(number.suffix(), "" | "usize") => {
                keys.push(source.slice(range(pair)).to_owned());
            }
            ("crate", _) => {}
            _ => return by_hand(format!("`#[graceful::main]` has no `{}`", source.slice(range(pair)))),
        }
    }
    Main::Tokio { attribute: range(&attribute.meta), keys }
}

/// The edit of the attribute. `serves` says that `main` serves through `graceful`.
pub(crate) fn edit(
    attribute: std::ops::Range<usize>,
    mut keys: Vec<String>,
    library: &str,
    serves: bool,
    signals: &BTreeSet<&'static str>,
) -> Edit {
    if serves {
        keys.push("ready = \"on-serve\"".to_owned());
    }
    if signals.iter().any(|signal| !DEFAULT_SIGNALS.contains(signal)) {
        let mut all: Vec<_> = DEFAULT_SIGNALS.into_iter().chain(signals.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        keys.push(format!("signals = [\"{}\"]", all.join("\", \"")));
    }
    if library != "graceful" {
        keys.push(format!("crate = ::{library}"));
    }
    let arguments = if keys.is_empty() { String::new() } else { format!("({})", keys.join(", ")) };
    Edit::new(0, attribute, format!("{library}::main{arguments}"))
}
