//! The table of all paths in expansions.
//!
//! Paths into the runtime go through its `__private` module, below the root that `crate = ` sets. Paths into `core`
//! and `std` are absolute, so that neither `#![no_implicit_prelude]` nor a user's own `mod core` affects them.

use crate::diagnostics::Diagnostics;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, Path};

/// A span for generated tokens whose errors point at `span`. Lints skip these tokens, because they resolve at the call
/// site.
pub(crate) fn call_site_at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The root of the runtime's paths: `::graceful`, or the value of `crate = `.
pub(crate) struct Paths {
    root: TokenStream,
}

impl Default for Paths {
    fn default() -> Self {
        Self { root: quote!(::graceful) }
    }
}

/// One method per path: `paths.run(span)` is `::graceful::__private::run` at `span`.
macro_rules! runtime_paths {
    ($($method:ident => $($name:ident)::+;)*) => {
        impl Paths {
            $(pub(crate) fn $method(&self, span: Span) -> TokenStream {
                let (span, root) = (call_site_at(span), self.at(span));
                quote_spanned!(span=> #root::__private::$($name)::+)
            })*
        }
    };
}

runtime_paths! {
    assert_budget => assert_budget;
    assert_deployment => assert_deployment;
    assert_plan => assert_plan;
    flavor => Flavor;
    check => Check;
    check_argument => FromCheckContext;
    check_return => CheckReturn;
    checks => GRACEFUL_CHECKS_V1;
    context => Context;
    health => Health;
    hook => Hook;
    hook_argument => FromHookContext;
    hook_context => HookContext;
    hook_return => HookReturn;
    hook_run => HookRun;
    hooks => GRACEFUL_HOOKS_V1;
    linkme => linkme;
    main => Main;
    missing_state => MissingState;
    on => On;
    plan => Plan;
    ready => Ready;
    run => run;
    runtime_config => RuntimeConfig;
    signal => Signal;
    unready => Unready;
}

/// One function per path into `core` and `std`.
macro_rules! language_paths {
    ($($function:ident => { $($path:tt)+ })*) => {
        $(pub(crate) fn $function() -> TokenStream {
            quote!($($path)+)
        })*
    };
}

language_paths! {
    byte => { ::core::primitive::u8 }
    duration => { ::core::time::Duration }
    exit_code => { ::std::process::ExitCode }
    net => { ::core::net }
    none => { ::core::option::Option::None }
    ok => { ::core::result::Result::Ok }
    result => { ::core::result::Result }
    some => { ::core::option::Option::Some }
    test => { ::core::prelude::v1::test }
}

impl Paths {
    /// Parses the value of `crate = `. The path must be absolute, because the expansion is in the user's module, whose
    /// items a relative path would resolve to.
    pub(crate) fn parse(value: &Expr, errors: &mut Diagnostics) -> Option<Self> {
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value {
            let meant = text.value().replace('-', "_");
            let (meant, known) = (meant.trim_start_matches(':'), syn::parse_str::<Path>(&meant).is_ok());
            let fix = format!("write the path without quotes: `crate = ::{}`", if known { meant } else { "graceful" });
            errors.on(value, "`crate` takes a path, and this is a string", fix);
            return None;
        }
        let Expr::Path(expr) = value else {
            errors.on(
                value,
                "`crate` takes a path",
                "write `crate = ::graceful`, or the name that Cargo.toml gives it",
            );
            return None;
        };
        let (path, text) = (&expr.path, shown(&expr.path));
        if expr.qself.is_some() || path.segments.iter().any(|segment| !segment.arguments.is_none()) {
            errors.on(value, "`crate` takes a plain path to a crate or module", "write `crate = ::graceful`");
            return None;
        }
        let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let anchored = path.leading_colon.is_some() || first == "crate" || first == "$crate";
        if !anchored {
            let fix = match first.as_str() {
                "self" | "super" => "write it from the root: `crate = crate::..` for a module of this crate, \
                                     or `crate = ::name` for a dependency"
                    .to_owned(),
                _ => format!(
                    "write `crate = ::{text}` for a dependency, or `crate = crate::{text}` for a module of this crate"
                ),
            };
            errors.on(
                value,
                format!("`crate = {text}` is a relative path, which resolves differently in each module"),
                fix,
            );
            return None;
        }
        Some(Self { root: path.to_token_stream() })
    }

    /// The root at a span.
    fn at(&self, span: Span) -> TokenStream {
        let here = call_site_at(span);
        self.root
            .clone()
            .into_iter()
            .map(|mut token| {
                // Keeps name resolution and moves only the place of errors.
                token.set_span(token.span().located_at(here));
                token
            })
            .collect()
    }
}

/// A path as source text, without the spaces between tokens.
fn shown(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Result<String, String> {
        let mut errors = Diagnostics::new();
        let value = syn::parse_str::<Expr>(text).unwrap();
        let paths = Paths::parse(&value, &mut errors);
        errors
            .finish(paths)
            .map(|paths| paths.run(Span::call_site()).to_string().replace(' ', ""))
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn accepts_absolute_roots() {
        assert_eq!(root("::shutdown").unwrap(), "::shutdown::__private::run");
        assert_eq!(root("::a::graceful").unwrap(), "::a::graceful::__private::run");
        assert_eq!(root("crate::deps::graceful").unwrap(), "crate::deps::graceful::__private::run");
        assert_eq!(Paths::default().run(Span::call_site()).to_string().replace(' ', ""), "::graceful::__private::run");
    }

    #[test]
    fn rejects_other_roots_and_suggests_an_absolute_one() {
        for (text, fix) in [
            ("shutdown", "write `crate = ::shutdown` for a dependency"),
            ("a::b", "`crate = crate::a::b`"),
            ("super::x", "from the root"),
            ("\"graceful-rt\"", "`crate = ::graceful_rt`"),
            ("\"::shutdown\"", "`crate = ::shutdown`"),
            ("5", "write `crate = ::graceful`"),
            ("::a::<u8>::b", "plain path"),
        ] {
            let error = root(text).unwrap_err();
            assert!(error.contains(fix), "{text}: {error}");
        }
    }
}
