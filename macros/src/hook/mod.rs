//! `#[graceful::shutdown_hook]`.

mod model;
mod expand;

use crate::{args::SHUTDOWN_HOOK, linked};
use proc_macro2::TokenStream;

/// Expands attribute and item, or emits the errors and the item.
pub(crate) fn shutdown_hook(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let settings = |args, _: Option<&_>, errors: &mut _| model::Settings::new(args, errors);
    linked::attribute(&SHUTDOWN_HOOK, attribute, item, settings, expand::expand)
}

#[cfg(test)]
mod tests;
