//! The checked `#[graceful::shutdown_hook]` to tokens.

use super::model::Settings;
use crate::{
    item::{self, Function},
    paths::{self, ours},
    values::Order,
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, ext::IdentExt};

/// The user's function as it is, and a descriptor of it in the link-time slice.
pub(crate) fn expand(settings: &Settings, function: &Function) -> TokenStream {
    let here = Span::call_site();
    let (paths, cfgs, user) = (&settings.paths, function.cfgs(), function.tokens());
    let (linkme, hooks, hook) = (paths.linkme(here), paths.hooks(here), paths.hook(here));
    let ident = &function.signature.ident;
    let name = match &settings.name {
        Some(name) => name.to_token_stream(),
        None => ident.unraw().to_string().to_token_stream(),
    };
    let order = match &settings.order {
        Order::Literal(order) => order.to_token_stream(),
        Order::Const(expr) => expr.to_token_stream(),
    };
    let timeout = match &settings.timeout {
        Some(length) => {
            let (some, length) = (paths::some(), item::length(length));
            quote!(#some(#length))
        }
        None => paths::none(),
    };
    // At the function's own span, so that the line is the function's and not the attribute's.
    let line = quote_spanned!(ident.span()=> ::core::line!());
    let start = start(settings, function);
    let allow = if function.signature.inputs.is_empty() {
        TokenStream::new()
    } else {
        // Arguments are handed over by value, whatever the hook does with them.
        item::allow(&[quote!(clippy::needless_pass_by_value)])
    };

    quote! {
        #allow
        #user

        #cfgs
        const _: () = {
            #[#linkme::distributed_slice(#hooks)]
            #[linkme(crate = #linkme)]
            static __GRACEFUL_HOOK: #hook = #hook {
                name: #name,
                order: #order,
                timeout: #timeout,
                package: ::core::env!("CARGO_PKG_NAME"),
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: #line,
                start: __graceful_start,
            };
            #start
        };
    }
}

/// The function that the lifecycle calls: takes the arguments from the context, and gives what is to be run.
///
/// The types of arguments and result stand in it as the user wrote them, so that an error about one is shown there.
fn start(settings: &Settings, function: &Function) -> TokenStream {
    let here = Span::call_site();
    let (paths, ident) = (&settings.paths, &function.signature.ident);
    let (hook_context, hook_run, missing_state) =
        (paths.hook_context(here), paths.hook_run(here), paths.missing_state(here));
    let (result, ok) = (paths::result(), paths::ok());
    let context = item::internal("context", here);
    let names: Vec<Ident> =
        function.arguments().enumerate().map(|(at, _)| item::internal(&format!("argument_{at}"), here)).collect();
    let arguments = function.arguments().zip(&names).map(|(argument, name)| {
        let (ty, from) = (&argument.ty, paths.argument(here));
        quote!(let #name = <#ty as #from>::from_hook_context(#context)?;)
    });
    let parameter = if names.is_empty() { quote!(_) } else { quote!(#context) };

    let (returns, output) = (paths.hook_return(here), output(function));
    let call = quote!(#ident(#(#names),*));
    // What is wrong with the body as a whole, such as not being `Send`, is shown at the function's name.
    let at = ours(ident.span());
    let hook_run_at = paths.hook_run(at);
    let run = if function.signature.asyncness.is_some() {
        quote_spanned!(at=> #hook_run_at::future(async move { <#output as #returns>::into_result(#call.await) }))
    } else {
        quote_spanned!(at=> #hook_run_at::blocking(move || <#output as #returns>::into_result(#call)))
    };
    quote! {
        fn __graceful_start(#parameter: &#hook_context) -> #result<#hook_run, #missing_state> {
            #(#arguments)*
            #ok(#run)
        }
    }
}

/// The type that the hook returns; `_` where it has no name.
fn output(function: &Function) -> TokenStream {
    match &function.signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) if mentions_impl(ty.to_token_stream()) => quote!(_),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    }
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}
