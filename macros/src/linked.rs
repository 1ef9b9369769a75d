//! A function that is found at link time: it stays as it is, and beside it stands a descriptor of it in a slice.

use crate::{
    args::{Args, Attribute},
    diagnostics::Diagnostics,
    item::{self, Function},
    paths::{self, Paths, ours},
};
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, ext::IdentExt};

/// Attribute and item to tokens; with errors, to the errors and the item.
///
/// `settings` gives `None` only with an error. It gets no function where the item is something else.
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

/// What sets one kind of linked function apart.
pub(crate) struct Kind<'a> {
    pub(crate) paths: &'a Paths,
    /// The name of the descriptor's static.
    pub(crate) statics: &'static str,
    /// The slice that the descriptor goes into, and its type.
    pub(crate) slice: TokenStream,
    pub(crate) descriptor: TokenStream,
    /// What arguments are read from.
    pub(crate) context: TokenStream,
    /// The trait that reads an argument from it, and its method.
    pub(crate) argument: (TokenStream, Ident),
    /// The trait of what the function may return.
    pub(crate) returns: TokenStream,
}

impl Kind<'_> {
    /// The user's function as it is, and its descriptor: name, these fields, position and start. `beside` goes into
    /// the descriptor's scope.
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
        // At the function's own span, so that the line is the function's and not the attribute's.
        let line = quote_spanned!(ident.span()=> ::core::line!());
        let start = self.start(function);
        let allow = if function.signature.inputs.is_empty() {
            TokenStream::new()
        } else {
            // Arguments are handed over by value, whatever the function does with them.
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

    /// The function that the runtime calls: takes the arguments from the context, and gives what is to be run.
    ///
    /// The types of arguments and result stand in it as the user wrote them, so that an error about one is shown there.
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

        // What is wrong with the body as a whole, such as not being `Send`, is shown at the function's name.
        let at = ours(ident.span());
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

/// The type that the function returns; `_` where it has no name.
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
