//! What is known about the type of an expression: whether it is a router, or a listener.

use super::survey::{Survey, returns, type_names};
use syn::{Expr, FnArg, Pat, Type};

/// The methods of axum's `Router` that return a router.
const OF_ROUTER: [&str; 14] = [
    "clone",
    "fallback",
    "fallback_service",
    "layer",
    "merge",
    "method_not_allowed_fallback",
    "nest",
    "nest_service",
    "reset_fallback",
    "route",
    "route_layer",
    "route_service",
    "with_state",
    "without_v07_checks",
];

/// The methods of a `Result` that return its value, or a `Result` of the same value.
const OF_RESULT: [&str; 6] = ["unwrap", "expect", "context", "with_context", "map_err", "unwrap_or_else"];

/// A variable or an argument.
#[derive(Clone)]
pub(crate) struct Binding<'a> {
    pub(crate) name: String,
    ty: Option<&'a Type>,
    value: Option<&'a Expr>,
}

impl<'a> Binding<'a> {
    /// The variable of a `let`.
    pub(crate) fn of_let(local: &'a syn::Local) -> Option<Self> {
        let value = local.init.as_ref().map(|init| &*init.expr);
        Self::of_pattern(&local.pat, value)
    }

    /// An argument of a function.
    pub(crate) fn of_argument(argument: &'a FnArg) -> Option<Self> {
        match argument {
            FnArg::Typed(argument) => {
                Self::of_pattern(&argument.pat, None).map(|binding| Self { ty: Some(&argument.ty), ..binding })
            }
            FnArg::Receiver(_) => None,
        }
    }

    /// A variable whose type is not known.
    pub(crate) fn unknown(name: &syn::Ident) -> Self {
        Self { name: name.to_string(), ty: None, value: None }
    }

    fn of_pattern(pattern: &'a Pat, value: Option<&'a Expr>) -> Option<Self> {
        match pattern {
            Pat::Ident(name) => Some(Self { name: name.ident.to_string(), ty: None, value }),
            Pat::Type(typed) => {
                Self::of_pattern(&typed.pat, value).map(|binding| Self { ty: Some(&typed.ty), ..binding })
            }
            _ => None,
        }
    }
}

/// The variables that are in scope, the innermost last.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s, 'a> {
    pub(crate) survey: &'s Survey<'a>,
    pub(crate) file: usize,
    pub(crate) bindings: &'s [Binding<'a>],
}

impl<'a> Scope<'_, 'a> {
    /// Whether the expression is an `axum::Router`.
    pub(crate) fn is_router(self, expr: &'a Expr) -> bool {
        self.is(expr, &["Router"], &OF_ROUTER)
    }

    /// Whether the expression is a listener of TCP or of a Unix socket.
    pub(crate) fn is_listener(self, expr: &'a Expr) -> bool {
        self.is(expr, &["TcpListener", "UnixListener"], &[])
    }

    /// The type, by one of these names, of an expression through methods that keep the type.
    fn is(self, expr: &'a Expr, names: &[&str], methods: &[&str]) -> bool {
        match expr {
            Expr::Paren(inner) => self.is(&inner.expr, names, methods),
            Expr::Await(inner) => self.is(&inner.base, names, methods),
            Expr::Try(inner) => self.is(&inner.expr, names, methods),
            Expr::MethodCall(call) => {
                let known = methods.iter().chain(&OF_RESULT).any(|method| call.method == method);
                known && self.is(&call.receiver, names, methods)
            }
            Expr::Path(path) => path.path.get_ident().is_some_and(|name| self.variable_is(name, names, methods)),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => self.call_is(&path.path, names),
                _ => false,
            },
            _ => false,
        }
    }

    fn variable_is(self, name: &syn::Ident, names: &[&str], methods: &[&str]) -> bool {
        let Some(at) = self.bindings.iter().rposition(|binding| *name == binding.name) else { return false };
        let binding = &self.bindings[at];
        match (binding.ty, binding.value) {
            (Some(ty), _) => type_names(ty).0.is_some_and(|found| names.contains(&found.as_str())),
            // `let app = app.layer(..)` uses the variable before it.
            (None, Some(value)) => Scope { bindings: &self.bindings[..at], ..self }.is(value, names, methods),
            (None, None) => false,
        }
    }

    /// Whether `Router::new(..)` or a function of the program returns the type.
    fn call_is(self, path: &'a syn::Path, names: &[&str]) -> bool {
        let resolved = self.survey.resolve(self.file, path);
        let segments: Vec<_> = resolved.split("::").collect();
        if let [.., ty, _] = segments[..]
            && names.contains(&ty)
        {
            return true;
        }
        let Some(last) = path.segments.last() else { return false };
        let mut functions = self.survey.named(&last.ident).peekable();
        functions.peek().is_some() && functions.all(|(_, function)| names.iter().any(|name| returns(function, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::source::Source;
    use std::path::PathBuf;
    use syn::Stmt;

    /// Whether the last statement of `main` is a router, and whether it is a listener.
    fn last_is(text: &str) -> (bool, bool) {
        let text =
            format!("{text}\nfn routes() -> Router {{ todo() }} async fn bind() -> io::Result<TcpListener> {{}}");
        let sources = [Source::parse(PathBuf::new(), "main.rs".to_owned(), &text).unwrap()];
        let survey = Survey::new(&sources);
        let main = survey.main().unwrap();
        let arguments = main.sig.inputs.iter().filter_map(Binding::of_argument);
        let lets = main.block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Local(local) => Binding::of_let(local),
            _ => None,
        });
        let bindings: Vec<_> = arguments.chain(lets).collect();
        let Some(Stmt::Expr(last, _)) = main.block.stmts.last() else { panic!("{text}") };
        let scope = Scope { survey: &survey, file: 0, bindings: &bindings };
        (scope.is_router(last), scope.is_listener(last))
    }

    #[test]
    fn routers_and_listeners_are_known_by_how_they_are_made() {
        for text in [
            "fn main() { Router::new().route(\"/\", get(f)).layer(x) }",
            "fn main() { let app: axum::Router = f(); app }",
            "fn main() { let app = routes(); let app = app.with_state(1); app.clone() }",
            "fn main(app: Router) { app }",
        ] {
            assert_eq!(last_is(text), (true, false), "{text}");
        }
        for text in [
            "fn main() { let listener = tokio::net::TcpListener::bind(1).await.unwrap(); listener }",
            "fn main() { bind().await.context(\"bind\")? }",
        ] {
            assert_eq!(last_is(text), (false, true), "{text}");
        }
        for text in [
            "fn main() { NormalizePath::trim(Router::new()) }",
            "fn main() { Router::new().into_make_service() }",
            "fn main() { let app = Router::new(); let app = wrap(app); app }",
            "fn main() { app() }",
        ] {
            assert_eq!(last_is(text), (false, false), "{text}");
        }
    }
}
