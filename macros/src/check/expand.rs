//! Expands the validated `#[graceful::health_check]`.

use super::model::{PERIOD_OF_ZERO, Settings, TIMEOUT_OF_ZERO};
use crate::{
    item::{self, Function},
    linked::Kind,
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The unchanged function and its descriptor in the distributed slice.
pub(crate) fn expand(settings: &Settings, function: &Function) -> TokenStream {
    let (here, paths) = (Span::call_site(), &settings.paths);
    let (on_type, on) = (paths.on(here), Ident::new(&format!("{:?}", settings.on), here));
    let (period, timeout) = (item::length(&settings.period), item::length(&settings.timeout));
    let failures = settings.failures;
    let kind = Kind {
        paths,
        statics: "__GRACEFUL_CHECK",
        slice: paths.checks(here),
        descriptor: paths.check(here),
        context: paths.context(here),
        argument: (paths.check_argument(here), Ident::new("from_check_context", here)),
        returns: paths.check_return(here),
    };
    let fields = quote!(on: #on_type::#on, period: #period, timeout: #timeout, failures: #failures,);
    kind.expand(function, settings.name.as_ref(), &fields, &const_rules(settings))
}

/// The rules for durations that only the compiler can evaluate.
fn const_rules(settings: &Settings) -> TokenStream {
    let (period, timeout) = (settings.period.expression(), settings.timeout.expression());
    let positive = |length| quote!(!__GRACEFUL_CHECK.#length.is_zero());
    let no_period = period.map(|at| item::const_rule(at, &positive(quote!(period)), PERIOD_OF_ZERO));
    let no_time = timeout.map(|at| item::const_rule(at, &positive(quote!(timeout)), TIMEOUT_OF_ZERO));
    let too_long = timeout.or(period).map(|at| {
        // A period of zero has a separate error.
        let rule = quote! {
            __GRACEFUL_CHECK.period.is_zero()
                || __GRACEFUL_CHECK.timeout.as_nanos() <= __GRACEFUL_CHECK.period.as_nanos()
        };
        let problem = "the `timeout` is longer than the `period`: the next run would be due before this run ends";
        item::const_rule(at, &rule, (problem, "shorten `timeout`, or lengthen `period`"))
    });
    quote!(#no_period #no_time #too_long)
}
