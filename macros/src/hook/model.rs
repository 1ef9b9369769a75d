//! What `#[graceful::shutdown_hook]` says, checked.

use crate::{
    args::Args,
    diagnostics::Diagnostics,
    paths::Paths,
    values::{self, Length, Order},
};
use proc_macro2::{Literal, Span};

/// What is wrong with a timeout of zero, and what to write.
pub(crate) const TIMEOUT_OF_ZERO: (&str, &str) = (
    "a hook with no time can't do anything",
    "write for example `timeout = \"3s\"`, or leave it out: the hook then gets a fair share of what is left",
);

/// The attribute, checked: ready for expansion.
pub(crate) struct Settings {
    pub(crate) paths: Paths,
    pub(crate) order: Order,
    pub(crate) timeout: Option<Length>,
    /// `None`: the function's name.
    pub(crate) name: Option<Literal>,
}

impl Settings {
    /// `None` if there is no order to go on with; the reason is in `errors`.
    pub(crate) fn new(mut args: Args, errors: &mut Diagnostics) -> Option<Self> {
        let order_is_broken = args.is_broken("order");
        let order = match args.value("order") {
            Some(given) => values::order(given, errors),
            None => {
                if !order_is_broken {
                    errors.at(
                        Span::call_site(),
                        "a shutdown hook needs an `order`: hooks run in ascending order, those of one order together",
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
