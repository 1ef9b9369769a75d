//! Functions that are registered at link time. The expansion is the unchanged function and a descriptor of it in a
//! distributed slice.

use crate::{
    args::{Args, Attribute},
    diagnostics::Diagnostics,
    item::{self, Function},
    paths::{self, Paths, call_site_at},
};
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type, ext::IdentExt};

/// Expands attribute and item, or emits the errors and the item.
///
/// `settings` returns `None` only after reporting an error. Its function is `None` if the item is not a function.
pub(crate) fn attribute<S>(
    attribute: &'static Attribute,
    arguments: TokenStream,
    item: TokenStream,
    settings: impl FnOnce(Args, Option<&Function>, &mut Diagnostics) -> Option<S>,
    expand: impl FnOnce(&S, &Function) -> TokenStream,
) -> TokenStream {
    let mut errors = Diagnostics::new();
    let args = Args::parse(attribute, arguments, &mut errors);
    let function = match item::parse(attribute, item, &mut errors) {
        Ok(function) => function,
        Err(item) => {
            settings(args, None, &mut errors);
            return match errors.finish::<()>(None) {
                Ok(()) => item,
                Err(errors) => quote!(#errors #item),
            };
        }
    };
    let settings = settings(args, Some(&function), &mut errors);
    let qualifier = if function.signature.asyncness.is_some() { "async " } else { "" };
    function.check(attribute, &format!("{qualifier}fn {}()", function.signature.ident), &mut errors);
    match errors.finish(settings) {
        Ok(settings) => expand(&settings, &function),
        Err(errors) => {
            let function = function.beside_errors().tokens();
            quote!(#errors #[allow(dead_code)] #function)
        }
    }
}

/// The parts that differ between hooks and checks.
pub(crate) struct Kind<'a> {
    pub(crate) paths: &'a Paths,
    /// The name of the descriptor's static.
    pub(crate) statics: &'static str,
    /// The distributed slice of the descriptors.
    pub(crate) slice: TokenStream,
    /// The type of the descriptor.
    pub(crate) descriptor: TokenStream,
    /// The type that arguments are extracted from.
    pub(crate) context: TokenStream,
    /// The trait that extracts an argument from the context, and its method.
    pub(crate) argument: (TokenStream, Ident),
    /// The trait of the function's return types.
    pub(crate) returns: TokenStream,
}

impl Kind<'_> {
    /// The unchanged function and its descriptor: name, `fields`, source location and start function. `beside` is
    /// emitted in the descriptor's scope.
    pub(crate) fn expand(
        &self,
        function: &Function,
        name: Option<&Literal>,
        fields: &TokenStream,
        beside: &TokenStream,
    ) -> TokenStream {
        let here = Span::call_site();
        let (cfgs, user, linkme) = (function.cfgs(), function.tokens(), self.paths.linkme(here));
        let Self { slice, descriptor, .. } = self;
        let (ident, statics) = (&function.signature.ident, Ident::new(self.statics, here));
        let name = name.map_or_else(|| ident.unraw().to_string().to_token_stream(), ToTokens::to_token_stream);
        // At the function's span, so that `line!()` is the function's line and not the attribute's.
        let line = quote_spanned!(ident.span()=> ::core::line!());
        let start = self.start(function);
        let allow = if function.signature.inputs.is_empty() {
            TokenStream::new()
        } else {
            // Arguments are passed by value even if the function only borrows them.
            item::allow(&[quote!(clippy::needless_pass_by_value)])
        };

        quote! {
            #allow
            #user

            #cfgs
            const _: () = {
                #[#linkme::distributed_slice(#slice)]
                #[linkme(crate = #linkme)]
                static #statics: #descriptor = #descriptor {
                    name: #name,
                    #fields
                    package: ::core::env!("CARGO_PKG_NAME"),
                    module: ::core::module_path!(),
                    file: ::core::file!(),
                    line: #line,
                    start: __graceful_start,
                };
                #beside
                #start
            };
        }
    }

    /// The function that the runtime calls: extracts the arguments from the context and returns the run.
    ///
    /// It uses the tokens of the user's argument and return types, so that errors about a type point at them.
    fn start(&self, function: &Function) -> TokenStream {
        let here = Span::call_site();
        let (paths, ident, context_type) = (self.paths, &function.signature.ident, &self.context);
        let (run_type, missing_state) = (paths.hook_run(here), paths.missing_state(here));
        let (result, ok) = (paths::result(), paths::ok());
        let context = item::internal("context", here);
        let names: Vec<Ident> =
            function.arguments().enumerate().map(|(at, _)| item::internal(&format!("argument_{at}"), here)).collect();
        let (from, read) = &self.argument;
        let arguments = function.arguments().zip(&names).map(|(argument, name)| {
            let ty = &argument.ty;
            quote!(let #name = <#ty as #from>::#read(#context)?;)
        });
        let parameter = if names.is_empty() { quote!(_) } else { quote!(#context) };

        // Errors about the whole body, such as a missing `Send`, point at the function's name.
        let at = call_site_at(ident.span());
        let returns = &self.returns;
        let (run, output, call) = (paths.hook_run(at), output(function), quote!(#ident(#(#names),*)));
        let run = if function.signature.asyncness.is_some() {
            quote_spanned!(at=> #run::future(async move { <#output as #returns>::into_result(#call.await) }))
        } else {
            quote_spanned!(at=> #run::blocking(move || <#output as #returns>::into_result(#call)))
        };
        quote! {
            fn __graceful_start(#parameter: &#context_type) -> #result<#run_type, #missing_state> {
                #(#arguments)*
                #ok(#run)
            }
        }
    }
}

/// The function's return type; `_` for an `impl` type, and for a trait object, about which rustc reports an error.
fn output(function: &Function) -> TokenStream {
    match &function.signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) if matches!(**ty, Type::TraitObject(_)) => quote!(_),
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
