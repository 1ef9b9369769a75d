//! tonic's `Server::builder()` becomes `graceful::tonic::serve`.

use super::{
    servers::{Chain, Conversion, Verdict, wait},
    source::range,
    step::Edit,
    survey::Survey,
};
use syn::{Expr, GenericArgument, ReturnType, Type};

/// What to write for a server that is not converted.
pub(crate) const INSTEAD: &str = "`graceful::tonic::serve(listener, tonic::service::Routes::new(service)).await` \
    (feature `tonic`), with layers around the routes. Or keep tonic's server, in `main(ctx: graceful::Context)`: `ctx.ready()`, then \
    `.serve_with_shutdown(address, ctx.draining())`, with the layer `graceful::tower::GracefulLayer` (feature `tower`)";

/// Whether the chain starts with tonic's builder of servers.
pub(crate) fn is_server(chain: &Chain<'_>) -> bool {
    let serves = |name: &syn::Ident| name.to_string().starts_with("serve");
    chain.function.starts_with("tonic::")
        && chain.function.ends_with("Server::builder")
        && chain.methods.last().is_some_and(|method| serves(&method.method))
}

/// Decides whether the chain is converted.
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
    let source = &survey.sources[chain.file];
    let text = |expr: &Expr| source.slice(range(expr));
    let (mut services, mut address, mut waits) = (Vec::new(), None, Vec::new());
    for method in &chain.methods {
        let argument =
            |number: usize| method.args.get(number).ok_or_else(|| ("an argument is missing".to_owned(), INSTEAD));
        match method.method.to_string().as_str() {
            "add_service" => services.push(text(argument(0)?)),
            "serve" => address = Some(text(argument(0)?)),
            "serve_with_shutdown" => {
                let Some(wait) = wait(survey, chain.file, argument(1)?)? else { return Ok(None) };
                waits.push(wait);
                address = Some(text(argument(0)?));
            }
            "serve_with_incoming_shutdown" if wait(survey, chain.file, argument(1)?)?.is_none() => return Ok(None),
            other => return refused(&format!("`graceful::tonic::serve` has no counterpart of `{other}`")),
        }
    }
    let (Some(address), [first, more @ ..]) = (address, &services[..]) else {
        return refused("it has no service, or no address");
    };
    chain.check_place(survey).map_err(|why| (why, INSTEAD))?;
    let Some(statement) = &chain.statement else { return refused("it is not a statement of its own") };
    match chain.handling.trim() {
        "" => return refused("its error is not handled by `?`, `unwrap` or `expect`"),
        "?" if !survey.functions.iter().any(|(file, function)| {
            let encloses = *file == chain.file && range(*function).contains(&chain.range.start);
            encloses && takes_any_error(survey, *file, &function.sig.output)
        }) =>
        {
            return refused("the error type of the function may not take an `io::Error`");
        }
        _ => {}
    }
    if source.has_comment(&chain.range) {
        return refused("there are comments within its chain of calls");
    }
    let (newline, indent) = (source.newline(), source.indent(statement.start));
    let more: String = more.iter().map(|service| format!("{newline}{indent}    .add_service({service})")).collect();
    // Without the type, an address that is parsed in place has no type.
    let bind =
        format!("tokio::net::TcpListener::bind::<std::net::SocketAddr>({address}).await{}", chain.handling.trim());
    let listener = format!("let listener = {bind};{newline}{indent}");
    let routes = format!("let routes = tonic::service::Routes::new({first}){more};{newline}{indent}");
    let new = format!("{listener}{routes}{library}::tonic::serve(listener, routes)");
    let mut edits = vec![Edit::new(chain.file, chain.range.clone(), new)];
    edits.extend(chain.line_breaks.iter().map(|line_break| Edit::new(chain.file, line_break.clone(), "")));
    Ok(Some(Conversion { edits, waits }))
}

/// Whether `?` takes every error in a function of this type: `Box<dyn Error>`, anyhow and eyre.
fn takes_any_error(survey: &Survey<'_>, file: usize, output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    let Type::Path(path) = &**ty else { return false };
    let is_any = |path: &syn::Path| {
        let resolved = survey.resolve(file, path);
        ["anyhow::", "eyre::", "color_eyre::"].iter().any(|package| resolved.starts_with(package))
    };
    let error = path.path.segments.last().and_then(|last| match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.get(1),
        _ => None,
    });
    match error {
        Some(GenericArgument::Type(Type::Path(error))) => {
            is_any(&error.path) || error.path.segments.last().is_some_and(|last| last.ident == "Box")
        }
        _ => is_any(&path.path),
    }
}
