//! Expands the validated `#[graceful::shutdown_hook]`.

use super::model::{Settings, TIMEOUT_OF_ZERO};
use crate::{
    item::{self, Function},
    linked::Kind,
    paths,
    values::{Length, Order},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// The unchanged function and its descriptor in the distributed slice.
pub(crate) fn expand(settings: &Settings, function: &Function) -> TokenStream {
    let (here, paths) = (Span::call_site(), &settings.paths);
    let order = match &settings.order {
        Order::Literal(order) => order.to_token_stream(),
        Order::Const(expr) => expr.to_token_stream(),
    };
    let timeout = settings.timeout.as_ref().map_or_else(paths::none, item::some_length);
    let kind = Kind {
        paths,
        statics: "__GRACEFUL_HOOK",
        slice: paths.hooks(here),
        descriptor: paths.hook(here),
        context: paths.hook_context(here),
        argument: (paths.hook_argument(here), Ident::new("from_hook_context", here)),
        returns: paths.hook_return(here),
    };
    let fields = quote!(order: #order, timeout: #timeout,);
    let not_zero = settings
        .timeout
        .as_ref()
        .and_then(Length::expression)
        .map(|at| item::const_rule(at, &item::is_not_some_zero(&quote!(__GRACEFUL_HOOK.timeout)), TIMEOUT_OF_ZERO));
    kind.expand(function, settings.name.as_ref(), &fields, &quote!(#not_zero))
}
