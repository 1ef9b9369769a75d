//! `#[graceful::main]`.

mod values;
mod durations;
mod deployment;
mod model;
#[cfg(feature = "manifest")]
mod findings;
mod expand;

use crate::{
    args::{Args, MAIN},
    diagnostics::Diagnostics,
    item,
};
use proc_macro2::TokenStream;
use quote::quote;

/// Expands attribute and item, or emits the errors and an item that adds no further errors.
pub(crate) fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Diagnostics::new();
    let args = Args::parse(&MAIN, attribute, &mut errors);
    let function = match item::parse(&MAIN, item, &mut errors) {
        Ok(function) => function,
        Err(item) => {
            model::Settings::new(args, &mut errors);
            return match errors.finish::<()>(None) {
                Ok(()) => item,
                Err(errors) => quote!(#errors #item),
            };
        }
    };
    let settings = model::Settings::new(args, &mut errors);
    let model = model::MainFn::new(settings, &function, &mut errors);
    match errors.finish(Some(model)) {
        Ok(model) => {
            #[cfg(feature = "manifest")]
            let findings = findings::errors(&model.settings);
            #[cfg(not(feature = "manifest"))]
            let findings = TokenStream::new();
            let expansion = expand::expand(&model, &function);
            quote!(#findings #expansion)
        }
        Err(errors) => {
            let function = expand::beside_errors(function);
            quote!(#errors #function)
        }
    }
}

#[cfg(test)]
mod tests;
