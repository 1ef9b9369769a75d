//! The validated `#[graceful::shutdown_hook]`.

use crate::{
    args::Args,
    diagnostics::Diagnostics,
    paths::Paths,
    values::{self, Length, Order},
};
use proc_macro2::{Literal, Span};

/// Problem and fix of a `timeout` of zero.
pub(crate) const TIMEOUT_OF_ZERO: (&str, &str) = (
    "a hook with a timeout of zero has no time to run",
    "write for example `timeout = \"3s\"`, or omit `timeout`: the hook then gets a fair share of the remaining time",
);

/// The validated attribute, ready for expansion.
pub(crate) struct Settings {
    pub(crate) paths: Paths,
    pub(crate) order: Order,
    pub(crate) timeout: Option<Length>,
    /// `None` for the function's name.
    pub(crate) name: Option<Literal>,
}

impl Settings {
    /// Validates the arguments. `None` without a valid order; `errors` has the reason.
    pub(crate) fn new(mut args: Args, errors: &mut Diagnostics) -> Option<Self> {
        let order_is_broken = args.is_broken("order");
        let order = match args.value("order") {
            Some(given) => values::order(given, errors),
            None => {
                if !order_is_broken {
                    errors.at(
                        Span::call_site(),
                        "a shutdown hook needs an `order`: hooks run in ascending order, hooks of the same order concurrently",
                        "write `#[graceful::shutdown_hook(order = 1)]`",
                    );
                }
                None
            }
        };
        let timeout = args.value("timeout").and_then(|given| values::length(given, errors));
        values::not_zero(timeout.as_ref(), TIMEOUT_OF_ZERO, errors);
        let name = args.value("name").and_then(|given| values::text(&given, errors));
        let paths = args.value("crate").and_then(|given| Paths::parse(&given.value, errors)).unwrap_or_default();
        Some(Self { paths, order: order?, timeout, name })
    }
}
