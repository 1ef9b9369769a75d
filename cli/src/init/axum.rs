//! `axum::serve` becomes `graceful::axum::serve`.

use super::{
    servers::{Chain, Conversion, Verdict, wait},
    source::range,
    step::Edit,
    survey::{Survey, type_names},
};
use syn::{Expr, ExprMethodCall, GenericArgument};

/// What to write for a server that is not converted.
pub(crate) const INSTEAD: &str = "if it takes a Router: `graceful::axum::serve(listener, app).await` in `main` \
    (feature `axum`). Otherwise, in `main(ctx: graceful::Context)`: `ctx.ready()`, then `axum::serve(listener, \
    app).with_graceful_shutdown(ctx.draining()).await`, with the layer `graceful::tower::GracefulLayer` (feature `tower`)";

/// Decides whether the chain, whose function is `axum::serve`, is converted.
pub(crate) fn check(survey: &Survey<'_>, chain: &Chain<'_>, library: &str) -> Verdict {
    match convert(survey, chain, library) {
        Ok(Some(conversion)) => Verdict::Converts(conversion),
        Ok(None) => Verdict::Fine,
        Err((why, instead)) => Verdict::ByHand(why, instead),
    }
}

fn convert(
    survey: &Survey<'_>,
    chain: &Chain<'_>,
    library: &str,
) -> Result<Option<Conversion>, (String, &'static str)> {
    let refused = |why: &str| Err((why.to_owned(), INSTEAD));
    let (file, scope) = (chain.file, chain.scope(survey));
    let mut conversion = Conversion::default();
    for method in &chain.methods {
        match (method.method.to_string().as_str(), method.args.first()) {
            ("with_graceful_shutdown", Some(signal)) => {
                let Some(wait) = wait(survey, file, signal)? else { return Ok(None) };
                conversion.waits.push(wait);
                conversion.edits.push(Edit::new(file, chain.method(survey, method), ""));
            }
            ("into_future", None) => {}
            (other, _) => return refused(&format!("`graceful::axum::serve` has no method `{other}`")),
        }
    }
    chain.check_place(survey).map_err(|why| (why, INSTEAD))?;
    let [listener, service] = [0, 1].map(|number| chain.call.args.get(number));
    let (Some(listener), Some(service)) = (listener, service) else {
        return refused("it does not take a listener and a service");
    };
    if !scope.is_listener(listener) {
        return refused("its listener is not made by `TcpListener::bind` in the files of this binary");
    }
    let router = match service {
        Expr::MethodCall(call) if call.method.to_string().starts_with("into_make_service") => {
            let info = if call.method == "into_make_service" { "" } else { ".with_connect_info()" };
            if !info.is_empty() && !is_socket_addr(call) {
                return refused("its connect info is not a `SocketAddr`");
            }
            conversion.edits.push(Edit::new(file, chain.method(survey, call), ""));
            let end = range(chain.call).end;
            if !info.is_empty() {
                conversion.edits.push(Edit::new(file, end..end, info));
            }
            &*call.receiver
        }
        service => service,
    };
    if !scope.is_router(router) {
        return refused("the files of this binary do not show that it serves an `axum::Router`");
    }
    if chain.methods.len() == conversion.waits.len() {
        // Only the shutdown signal is a reason for several lines.
        conversion.edits.extend(chain.line_breaks.iter().map(|line_break| Edit::new(file, line_break.clone(), "")));
    }
    conversion.edits.push(Edit::new(file, range(&*chain.call.func), format!("{library}::axum::serve")));
    Ok(Some(conversion))
}

/// Whether the method's type argument is `SocketAddr`.
fn is_socket_addr(call: &ExprMethodCall) -> bool {
    let argument = call.turbofish.as_ref().and_then(|turbofish| turbofish.args.first());
    matches!(argument, Some(GenericArgument::Type(ty)) if type_names(ty).0.as_deref() == Some("SocketAddr"))
}
