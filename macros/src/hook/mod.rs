//! `#[graceful::shutdown_hook]`.

mod expand;
mod model;

use crate::{
    args::{Args, SHUTDOWN_HOOK},
    diagnostics::Diagnostics,
    item,
};
use proc_macro2::TokenStream;
use quote::quote;

/// Attribute and item to tokens; with errors, to the errors and the item.
pub(crate) fn shutdown_hook(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Diagnostics::new();
    let args = Args::parse(&SHUTDOWN_HOOK, attribute, &mut errors);
    let function = match item::parse(&SHUTDOWN_HOOK, item, &mut errors) {
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
    let qualifier = if function.signature.asyncness.is_some() { "async " } else { "" };
    function.check(&SHUTDOWN_HOOK, &format!("{qualifier}fn {}()", function.signature.ident), &mut errors);
    match errors.finish(settings) {
        Ok(settings) => expand::expand(&settings, &function),
        Err(errors) => {
            let function = function.beside_errors().tokens();
            quote!(#errors #[allow(dead_code)] #function)
        }
    }
}

#[cfg(test)]
mod tests;
