//! `#[graceful::health_check]`.

mod model;
mod expand;

use crate::{args::HEALTH_CHECK, linked};
use proc_macro2::TokenStream;

/// Expands attribute and item, or emits the errors and the item.
pub(crate) fn health_check(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let settings = |args, function: Option<&_>, errors: &mut _| Some(model::Settings::new(args, function, errors));
    linked::attribute(&HEALTH_CHECK, attribute, item, settings, expand::expand)
}

#[cfg(test)]
mod tests;
