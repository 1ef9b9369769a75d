//! The user's item: the signature is parsed, the body stays raw tokens.
//!
//! The expansion contains the body unchanged, even if it is incomplete, so that editors complete it and rustc reports
//! its errors.

use crate::{
    args::Attribute,
    diagnostics::Diagnostics,
    paths::{self, call_site_at},
    values::Length,
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute as Attr, Expr, FnArg, PatType, ReturnType, Signature, Type, Visibility,
    parse::{ParseStream, Parser, discouraged::Speculative as _},
    spanned::Spanned,
};

/// A function as the user wrote it.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) vis: Visibility,
    pub(crate) signature: Signature,
    /// The body with its braces.
    pub(crate) body: TokenStream,
}

/// Parses the item below an attribute. `Err` holds the tokens to emit if the item is not a function.
pub(crate) fn parse(
    attribute: &Attribute,
    item: TokenStream,
    errors: &mut Diagnostics,
) -> Result<Function, TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attr::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let start = input.fork();
        if !is_function(input) {
            let name = start.parse::<TokenTree>().ok();
            let found = name.as_ref().and_then(kind).unwrap_or("something else");
            let span = name.map_or_else(Span::call_site, |name| name.span());
            errors.at(
                span,
                format!("{} goes on a function, and this is {found}", attribute.shown),
                format!("move it to a function, such as `{}`", attribute.function),
            );
            input.parse::<TokenStream>()?;
            return Ok(None);
        }
        Ok(Some(Function { attrs, vis, signature: input.parse()?, body: input.parse()? }))
    };
    match parser.parse2(item.clone()) {
        Ok(Some(function)) => Ok(function),
        Ok(None) => Err(item),
        Err(error) => {
            errors.push(error);
            Err(item)
        }
    }
}

/// Whether a function's qualifiers and `fn` come next.
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    loop {
        match ahead.parse::<TokenTree>() {
            Ok(TokenTree::Ident(word)) if word == "fn" => return true,
            Ok(TokenTree::Ident(word))
                if ["const", "async", "unsafe", "safe", "extern"].iter().any(|qualifier| word == qualifier) => {}
            Ok(TokenTree::Literal(_)) => {}
            Ok(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::None => {
                // An empty `$vis` of a `macro_rules!`.
                if !group.stream().is_empty() {
                    return false;
                }
                input.advance_to(&ahead);
            }
            _ => return false,
        }
    }
}

fn kind(first: &TokenTree) -> Option<&'static str> {
    let TokenTree::Ident(word) = first else { return None };
    Some(match word.to_string().as_str() {
        "struct" => "a struct",
        "enum" => "an enum",
        "union" => "a union",
        "trait" => "a trait",
        "impl" => "an `impl` block",
        "mod" => "a module",
        "static" => "a static",
        "const" => "a constant",
        "type" => "a type alias",
        "use" => "an import",
        "extern" => "an `extern` item",
        "macro_rules" => "a macro",
        _ => return None,
    })
}

impl Function {
    /// The item's remaining `#[cfg]`s, which generated items need as well.
    pub(crate) fn cfgs(&self) -> TokenStream {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).map(ToTokens::to_token_stream).collect()
    }

    pub(crate) fn docs(&self) -> TokenStream {
        self.attrs.iter().filter(|attr| attr.path().is_ident("doc")).map(ToTokens::to_token_stream).collect()
    }

    /// Attributes of other crates that also start a runtime, such as `#[tokio::main]`.
    pub(crate) fn other_mains(&self) -> impl Iterator<Item = &Attr> {
        self.attrs.iter().filter(|attr| is_main(attr))
    }

    /// The complete function.
    pub(crate) fn tokens(&self) -> TokenStream {
        let Self { attrs, vis, signature, body } = self;
        quote!(#(#attrs)* #vis #signature #body)
    }

    /// The function without its visibility, to be nested in another function.
    pub(crate) fn nested(&self) -> TokenStream {
        let Self { attrs, signature, body, .. } = self;
        quote!(#(#attrs)* #signature #body)
    }

    /// The arguments other than `self`.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &PatType> {
        self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
    }

    /// Spans of the first and the last token of the return type, for errors about it.
    pub(crate) fn output_spans(&self) -> (Span, Span) {
        match &self.signature.output {
            ReturnType::Type(_, ty) => ends(ty),
            ReturnType::Default => ends(&self.signature.ident),
        }
    }

    /// Rejects the qualifiers, generics and arguments that no attribute accepts.
    pub(crate) fn check(&self, attribute: &Attribute, write: &str, errors: &mut Diagnostics) {
        let (shown, signature) = (attribute.shown, &self.signature);
        let found = |what: &str| format!("a function with {shown} can't be {what}");
        if let Some(token) = &signature.constness {
            errors.on(token, found("`const`"), format!("remove `const`, as in `{write}`"));
        }
        if let syn::Safety::Unsafe(token) = &signature.safety {
            let fix = format!("remove `unsafe`, as in `{write}`, and use unsafe blocks inside of it");
            errors.on(token, found("`unsafe`: it is called from safe code"), fix);
        }
        if let Some(abi) = &signature.abi {
            errors.on(abi, found("`extern`"), format!("remove `{}`, as in `{write}`", abi.to_token_stream()));
        }
        let generics = &signature.generics;
        if !generics.params.is_empty() {
            let fix = format!("remove `{}` and name the types, as in `{write}`", text(generics));
            errors.on(generics, found("generic: it has no caller that determines the types"), fix);
        } else if let Some(clause) = &generics.where_clause {
            errors.on(
                clause,
                found("generic: it has no caller that determines the types"),
                "remove the `where` clause",
            );
        }
        if let Some(variadic) = &signature.variadic {
            errors.on(variadic, found("variadic"), format!("remove `...`, as in `{write}`"));
        }
        if let Some(receiver) = signature.receiver() {
            let fix =
                format!("move the function out of its `impl` block and remove `{}`, as in `{write}`", text(receiver));
            errors.on(receiver, found("a method: there is no value to call it on"), fix);
        }
        for argument in self.arguments() {
            match &*argument.ty {
                Type::Reference(reference) => {
                    let fix = format!("write `{}`", text(&reference.elem));
                    errors.on(&argument.ty, "arguments are passed by value, and this is a reference", fix);
                }
                Type::TraitObject(_) => {
                    let fix = format!("name a type, as in `{write}`");
                    errors.on(&argument.ty, "arguments are passed by value, and a trait object has no size", fix);
                }
                Type::ImplTrait(_) => {
                    let fix = format!("name a type, as in `{write}`");
                    errors.on(&argument.ty, found("generic, and an `impl` argument makes it so"), fix);
                }
                _ => {}
            }
        }
    }

    /// The function to emit beside errors, without the parts about which rustc or another macro would report a second
    /// error.
    pub(crate) fn beside_errors(mut self) -> Self {
        self.attrs.retain(|attr| !is_main(attr));
        let signature = &mut self.signature;
        signature.variadic = None;
        if signature.asyncness.is_some() {
            signature.constness = None;
        }
        self
    }

    /// The function without `self`, to be nested in another function, where a receiver is an error.
    pub(crate) fn without_receiver(mut self) -> Self {
        if self.signature.receiver().is_some() {
            self.signature.inputs = std::mem::take(&mut self.signature.inputs).into_iter().skip(1).collect();
        }
        self
    }
}

fn is_main(attr: &Attr) -> bool {
    let segments = &attr.path().segments;
    segments.len() > 1 && segments.last().is_some_and(|segment| segment.ident == "main")
}

/// Tokens as source text, spaced as people write them.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    tokens
        .to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace("& ", "&")
}

/// Spans of the first and the last token, for generated tokens whose errors point there. A pair, because joining two
/// spans into one is not stable.
pub(crate) fn ends(tokens: impl ToTokens) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| call_site_at(token.span()));
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// A variable of the expansion, with a name that is unlikely to collide with one of the user's constants.
pub(crate) fn internal(name: &str, span: Span) -> Ident {
    Ident::new(&format!("__graceful_{name}"), Span::mixed_site().located_at(span))
}

/// A duration as a const expression.
pub(crate) fn length(length: &Length) -> TokenStream {
    match length {
        Length::Literal(length, _) => {
            let (duration, secs, nanos) = (paths::duration(), length.as_secs(), length.subsec_nanos());
            quote!(#duration::new(#secs, #nanos))
        }
        Length::Const(expr) => expr.to_token_stream(),
    }
}

/// A duration as a const expression of type `Option<Duration>`.
pub(crate) fn some_length(length: &Length) -> TokenStream {
    let (some, length) = (paths::some(), self::length(length));
    quote!(#some(#length))
}

/// A `const` assertion over const expressions. Its error, the problem and the fix, is shown at `at`.
pub(crate) fn const_rule(at: &Expr, rule: &TokenStream, (problem, fix): (&str, &str)) -> TokenStream {
    let (span, message) = (call_site_at(at.span()), format!("{problem}; {fix}"));
    quote_spanned!(span=> const _: () = ::core::assert!(#rule, #message);)
}

/// An expression that is true unless the `Option<Duration>` field is `Some` of zero.
pub(crate) fn is_not_some_zero(field: &TokenStream) -> TokenStream {
    let (some, duration) = (paths::some(), paths::duration());
    quote!(!::core::matches!(#field, #some(#duration::ZERO)))
}

/// `#[allow]` for lints that the user can't satisfy because the attribute requires the signature they reject.
pub(crate) fn allow(lints: &[TokenStream]) -> TokenStream {
    let span = call_site_at(Span::call_site());
    if lints.is_empty() { TokenStream::new() } else { quote_spanned!(span=> #[allow(#(#lints),*)]) }
}
