//! Expands the validated `#[graceful::main]`.

use super::{
    deployment::File,
    durations::{Durations, HEARTBEAT_OF_ZERO, QUIET_OF_ZERO},
    model::MainFn,
};
use crate::{
    item::{self, Function},
    paths::{self, Paths, call_site_at},
};
use graceful_plan::Health;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use std::net::SocketAddr;
use syn::spanned::Spanned;

/// `fn main`, the plan as a constant, the `const` rules, and the test of the plan.
pub(crate) fn expand(model: &MainFn, function: &Function) -> TokenStream {
    let here = Span::call_site();
    let (settings, paths) = (&model.settings, &model.settings.paths);
    let (cfgs, docs, vis) = (function.cfgs(), function.docs(), &function.vis);
    let (exit_code, test) = (paths::exit_code(), paths::test());
    let (plan_type, assert_plan) = (paths.plan(here), paths.assert_plan(here));
    let plan = plan(model);
    let user_main = nested(function);
    let links = settings.hooks_from.iter().map(|name| {
        let span = call_site_at(name.span());
        quote_spanned!(span=> use ::#name as _;)
    });
    let call = call(model, function, &main_value(model));
    let const_rules = const_rules(&settings.durations, paths).into_iter().map(|rule| quote!(#cfgs #rule));

    let deployed = settings.deployment.files().filter(|file| file.is_present()).map(|file| {
        let (bytes, byte) = (included(&quote!(include_bytes), file), paths::byte());
        quote!(#cfgs #[cfg(not(doc))] const _: &[#byte] = #bytes;)
    });
    let assert_deployment = assert_deployment(model);

    quote! {
        #cfgs
        #docs
        #vis fn main() -> #exit_code {
            #user_main
            #(#links)*
            #call
        }

        #cfgs
        #[doc(hidden)]
        const __GRACEFUL_PLAN: #plan_type = #plan;
        #(#const_rules)*
        #(#deployed)*

        #cfgs
        #[cfg(test)]
        #[#test]
        fn the_shutdown_fits_the_termination_grace_period() {
            #assert_plan(&__GRACEFUL_PLAN);
            #assert_deployment
        }
    }
}

/// The content of a file, which rustc watches for changes.
fn included(by: &TokenStream, file: &File) -> TokenStream {
    let path = &file.path;
    quote!(::core::#by!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path)))
}

/// The check of the files in the generated test, if there are any.
fn assert_deployment(model: &MainFn) -> Option<TokenStream> {
    let (settings, here) = (&model.settings, Span::call_site());
    let (deployment, paths) = (&settings.deployment, &settings.paths);
    if !deployment.files().all(File::is_present) || deployment.files().next().is_none() {
        return None;
    }
    let (function, signal, some) = (paths.assert_deployment(here), paths.signal(here), paths::some());
    let pair = |file: &File| {
        let (path, text) = (&file.path, included(&quote!(include_str), file));
        quote!((#path, #text))
    };
    let manifests = deployment.manifests.iter().map(pair);
    let container = deployment.container.as_ref().map_or_else(paths::none, |name| quote!(#some(#name)));
    let dockerfile = deployment.dockerfile.as_ref().map(pair).map_or_else(paths::none, |pair| quote!(#some(#pair)));
    let signals = settings.signals.iter().map(variant);
    Some(quote!(#function(&__GRACEFUL_PLAN, &[#(#signal::#signals),*], &[#(#manifests),*], #container, #dockerfile);))
}

/// The call of the runtime. Errors about the return type or the argument point at the user's type.
fn call(model: &MainFn, function: &Function, main: &TokenStream) -> TokenStream {
    let (first, last) = function.output_spans();
    let (run, name) = (model.settings.paths.run(first), &function.signature.ident);
    let start = match model.argument {
        Some(argument) => {
            let context = item::internal("context", call_site_at(Span::call_site()));
            let passed = item::internal("context", call_site_at(argument));
            quote_spanned!(last=> |#context| #name(#passed))
        }
        None => quote_spanned!(last=> |_| #name()),
    };
    let arguments = quote_spanned!(last=> (#main, #start));
    quote!(#run #arguments)
}

/// The user's function, nested in `fn main`. Allows the pedantic lints that its required signature can trigger: an
/// `async` without an `await`, and a context passed by value.
fn nested(function: &Function) -> TokenStream {
    let allow = item::allow(&[quote!(clippy::unused_async), quote!(clippy::needless_pass_by_value)]);
    let function = function.nested();
    quote!(#allow #function)
}

fn plan(model: &MainFn) -> TokenStream {
    let here = Span::call_site();
    let (settings, paths) = (&model.settings, &model.settings.paths);
    let plan_type = paths.plan(here);
    let lengths = settings.durations.fields().map(|(field, length, is_optional)| {
        let field = format_ident!("{field}");
        let length = if is_optional { item::some_length(length) } else { item::length(length) };
        quote!(#field: #length,)
    });
    let health = settings.health.map(|health| {
        let (at, health_type) = (paths.health(here), health);
        let health = match health_type {
            Health::Off => quote!(#at::Off),
            Health::At(SocketAddr::V6(v6)) if Health::port(v6.port()) == health_type => {
                let port = v6.port();
                quote!(#at::port(#port))
            }
            Health::At(address) => {
                let address = socket_address(address);
                quote!(#at::At(#address))
            }
        };
        quote!(health: #health,)
    });
    let ready = settings.ready.map(|ready| {
        let (path, variant) = (paths.ready(here), variant(&ready));
        quote!(ready: #path::#variant,)
    });
    let unready = settings.unready.map(|unready| {
        let (path, variant) = (paths.unready(here), variant(&unready));
        quote!(unready: #path::#variant,)
    });
    let init = settings.init.map(|init| quote!(init: #init,));
    quote!(#plan_type { #(#lengths)* #health #ready #unready #init ..#plan_type::DEFAULT })
}

/// The rules for durations that only the compiler can evaluate.
fn const_rules(durations: &Durations, paths: &Paths) -> Vec<TokenStream> {
    let not_zero = |field: &str, words| {
        let at = durations.first_const(&[field])?;
        let field = format_ident!("{field}");
        Some(item::const_rule(at, &item::is_not_some_zero(&quote!(__GRACEFUL_PLAN.#field)), words))
    };
    let limit = durations.first_const(&["grace_limit", "grace"]).filter(|_| durations.has_limit()).map(|at| {
        let rule = quote!(__GRACEFUL_PLAN.longest_grace().as_nanos() > __GRACEFUL_PLAN.grace.as_nanos());
        let problem = "`grace_limit` must be longer than `grace`: grace ends between these two times";
        item::const_rule(at, &rule, (problem, "lengthen `grace_limit`, or shorten `grace`"))
    });
    let budget = durations.first_counted_const().map(|expr| {
        let span = call_site_at(expr.span());
        let assert_budget = paths.assert_budget(span);
        quote_spanned!(span=> const _: () = #assert_budget(&__GRACEFUL_PLAN);)
    });
    [not_zero("quiet", QUIET_OF_ZERO), not_zero("liveness_heartbeat", HEARTBEAT_OF_ZERO), limit, budget]
        .into_iter()
        .flatten()
        .collect()
}

fn socket_address(address: SocketAddr) -> TokenStream {
    let (net, port) = (paths::net(), address.port());
    match address {
        SocketAddr::V4(v4) => {
            let octets = v4.ip().octets();
            quote!(#net::SocketAddr::V4(#net::SocketAddrV4::new(#net::Ipv4Addr::new(#(#octets),*), #port)))
        }
        SocketAddr::V6(v6) => {
            let (segments, flow, scope) = (v6.ip().segments(), v6.flowinfo(), v6.scope_id());
            let ip = quote!(#net::Ipv6Addr::new(#(#segments),*));
            quote!(#net::SocketAddr::V6(#net::SocketAddrV6::new(#ip, #port, #flow, #scope)))
        }
    }
}

fn main_value(model: &MainFn) -> TokenStream {
    let here = Span::call_site();
    let (settings, paths) = (&model.settings, &model.settings.paths);
    let (main, signal, runtime_config, flavor) =
        (paths.main(here), paths.signal(here), paths.runtime_config(here), paths.flavor(here));
    let signals = settings.signals.iter().map(|signal_name| {
        let variant = variant(signal_name);
        quote!(#signal::#variant)
    });
    let flavor_variant = variant(&settings.flavor);
    let (workers, blocking) = (count(settings.worker_threads), count(settings.max_blocking_threads));
    quote! {
        #main {
            plan: __GRACEFUL_PLAN,
            signals: &[#(#signals),*],
            runtime: #runtime_config {
                flavor: #flavor::#flavor_variant,
                worker_threads: #workers,
                max_blocking_threads: #blocking,
            },
            package: ::core::env!("CARGO_PKG_NAME"),
        }
    }
}

/// The variant of the runtime's enum, which has the same name as the macro's.
fn variant(value: &impl std::fmt::Debug) -> Ident {
    Ident::new(&format!("{value:?}"), Span::call_site())
}

fn count(count: Option<usize>) -> TokenStream {
    match count {
        Some(count) => {
            let some = paths::some();
            quote!(#some(#count))
        }
        None => paths::none(),
    }
}

/// The items to emit beside errors: the user's function, so that rustc still checks its body, in a `main` that compiles.
pub(crate) fn beside_errors(function: Function) -> TokenStream {
    let function = function.beside_errors();
    if function.signature.ident != "main" {
        return function.tokens();
    }
    let (cfgs, function) = (function.cfgs(), function.without_receiver());
    let function = function.nested();
    quote! {
        #cfgs
        fn main() {
            #[allow(dead_code)]
            #function
        }
    }
}
