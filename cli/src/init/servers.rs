//! Finds the servers that a program runs: calls of known functions that are awaited where they stand.

use super::{
    signals::{self, SignalWait},
    source::range,
    step::Edit,
    survey::Survey,
    types::{Binding, Scope},
};
use std::ops::Range;
use syn::{Expr, ExprAwait, ExprCall, ExprMethodCall, visit::Visit};

/// A chain of calls that is awaited: `function(..).method(..).await`.
pub(crate) struct Chain<'a> {
    pub(crate) file: usize,
    /// The path of the function, imports resolved.
    pub(crate) function: String,
    pub(crate) call: &'a ExprCall,
    /// The methods in the order of their calls.
    pub(crate) methods: Vec<&'a ExprMethodCall>,
    /// From the function to its last method, without `.await`.
    pub(crate) range: Range<usize>,
    /// `?`, `.unwrap()` or `.expect(..)` behind `.await`, as it is written; empty for anything else.
    pub(crate) handling: String,
    /// The line breaks before `.await` and before the handling.
    pub(crate) line_breaks: Vec<Range<usize>>,
    /// The statement that consists of the chain and its handling alone.
    pub(crate) statement: Option<Range<usize>>,
    /// Whether the chain stands in a closure or an `async` block: another task may run it.
    pub(crate) is_nested: bool,
    pub(crate) is_in_main: bool,
    /// The function around the chain.
    within: String,
    bindings: Vec<Binding<'a>>,
}

/// What becomes of a server.
pub(crate) enum Verdict {
    /// The server is under `graceful` already.
    Fine,
    /// The server is converted.
    Converts(Conversion),
    /// Why the server is not converted, and what to do.
    ByHand(String, &'static str),
}

/// A mechanical conversion.
#[derive(Default)]
pub(crate) struct Conversion {
    pub(crate) edits: Vec<Edit>,
    /// The shutdown signals that the conversion replaces.
    pub(crate) waits: Vec<SignalWait>,
}

impl<'a> Chain<'a> {
    pub(crate) fn scope<'s>(&'s self, survey: &'s Survey<'a>) -> Scope<'s, 'a> {
        Scope { survey, file: self.file, bindings: &self.bindings }
    }

    /// Whether the chain stays in the task of the function around it, and no test calls that function.
    ///
    /// # Errors
    /// What is not so.
    pub(crate) fn check_place(&self, survey: &Survey<'_>) -> Result<(), String> {
        if self.is_nested {
            let why = "it runs in a closure or an async block, maybe as a task that `main` does not await";
            return Err(why.to_owned());
        }
        let test = survey.test_with(&self.within).filter(|_| !self.is_in_main);
        test.map_or(Ok(()), |place| {
            Err(format!(
                "{place}, a test, calls `{}`, and `graceful` serves in a process under its `main` only",
                self.within
            ))
        })
    }

    /// The range from the end of a receiver to the end of the method's call, with the line break before the method.
    pub(crate) fn method(&self, survey: &Survey<'_>, method: &ExprMethodCall) -> Range<usize> {
        let (receiver, whole) = (range(&*method.receiver).end, range(method));
        let gap = survey.sources[self.file].slice(receiver..range(&method.dot_token).start);
        // A comment before the method stays.
        let start = if gap.trim().is_empty() { receiver } else { range(&method.dot_token).start };
        start..whole.end
    }
}

/// What to do with a shutdown signal that does more than to wait for signals.
const OWN_SIGNAL: &str = "serve without it: `graceful::axum::serve` and `graceful::tonic::serve` need no shutdown signal. \
    A sleep becomes the key `grace`; what happens at the signal, a task that awaits `ctx.terminating()`; another reason \
    to shut down calls `ctx.shutdown(\"reason\")`; what happens at the end, a `#[graceful::shutdown_hook(order = 1)]`";

/// Checks the future that a server has as its shutdown signal; `None` if it is one of `graceful`.
///
/// # Errors
/// What else the future does, and what to do.
pub(crate) fn wait(
    survey: &Survey<'_>,
    file: usize,
    signal: &Expr,
) -> Result<Option<SignalWait>, (String, &'static str)> {
    let tokens = survey.sources[file].tokens_in(&range(signal));
    if tokens.iter().any(|token| matches!(token.text.as_str(), "draining" | "terminating" | "drain_token")) {
        return Ok(None);
    }
    match signals::wait(survey, file, signal) {
        Ok(wait) => Ok(Some(wait)),
        Err(why) => Err((format!("its shutdown signal is not converted: {why}"), OWN_SIGNAL)),
    }
}

/// All chains of the program, without those of tests.
pub(crate) fn chains<'a>(survey: &Survey<'a>) -> Vec<Chain<'a>> {
    let mut found = Vec::new();
    for (file, source) in survey.sources.iter().enumerate() {
        let mut finder = Finder {
            survey,
            file,
            bindings: vec![],
            nested: 0,
            function: String::new(),
            statement: None,
            handled: None,
            found: &mut found,
        };
        finder.visit_file(&source.file);
    }
    found.retain(|chain: &Chain<'_>| !survey.is_test(chain.file, chain.range.start));
    found
}

struct Finder<'s, 'a> {
    survey: &'s Survey<'a>,
    file: usize,
    bindings: Vec<Binding<'a>>,
    nested: usize,
    /// The function around the current place.
    function: String,
    /// The current statement, and its expression.
    statement: Option<(Range<usize>, Range<usize>)>,
    /// The range of the `.await` that is handled next, with its handling, and how it is written.
    handled: Option<(Range<usize>, Range<usize>, String)>,
    found: &'s mut Vec<Chain<'a>>,
}

impl<'a> Finder<'_, 'a> {
    /// Visits a function with its arguments as variables.
    fn function(&mut self, signature: &'a syn::Signature, block: &'a syn::Block) {
        let outer = (std::mem::take(&mut self.bindings), self.nested, std::mem::take(&mut self.function));
        self.nested = if signature.asyncness.is_some() { 0 } else { 1 };
        self.function = signature.ident.to_string();
        self.bindings.extend(signature.inputs.iter().filter_map(Binding::of_argument));
        self.visit_block(block);
        (self.bindings, self.nested, self.function) = outer;
    }

    fn handle(&mut self, awaited: &Expr, whole: Range<usize>) {
        if let Expr::Await(awaited) = awaited {
            let awaited = range(awaited);
            let text = self.survey.sources[self.file].slice(awaited.end..whole.end).to_owned();
            self.handled = Some((awaited, whole, text));
        }
    }
}

impl<'a> Visit<'a> for Finder<'_, 'a> {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_block(&mut self, block: &'a syn::Block) {
        let outer = self.bindings.len();
        syn::visit::visit_block(self, block);
        self.bindings.truncate(outer);
    }

    fn visit_stmt(&mut self, statement: &'a syn::Stmt) {
        self.statement = match statement {
            syn::Stmt::Expr(expr, _) => Some((range(statement), range(expr))),
            _ => None,
        };
        syn::visit::visit_stmt(self, statement);
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let Some(init) = &local.init {
            syn::visit::visit_local_init(self, init);
        }
        match Binding::of_let(local) {
            Some(binding) => self.bindings.push(binding),
            None => self.visit_pat(&local.pat),
        }
    }

    /// A variable of another pattern has an unknown value and hides outer ones of its name.
    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        self.bindings.push(Binding::unknown(&pattern.ident));
    }

    fn visit_expr_closure(&mut self, closure: &'a syn::ExprClosure) {
        self.nested += 1;
        syn::visit::visit_expr_closure(self, closure);
        self.nested -= 1;
    }

    fn visit_expr_async(&mut self, block: &'a syn::ExprAsync) {
        self.nested += 1;
        syn::visit::visit_expr_async(self, block);
        self.nested -= 1;
    }

    fn visit_expr_try(&mut self, expr: &'a syn::ExprTry) {
        self.handle(&expr.expr, range(expr));
        syn::visit::visit_expr_try(self, expr);
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        if call.method == "unwrap" || call.method == "expect" {
            self.handle(&call.receiver, range(call));
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_await(&mut self, expr: &'a ExprAwait) {
        let (mut methods, mut base) = (Vec::new(), &*expr.base);
        loop {
            match base {
                Expr::MethodCall(call) => {
                    methods.push(call);
                    base = &call.receiver;
                }
                Expr::Paren(inner) => base = &inner.expr,
                _ => break,
            }
        }
        if let Expr::Call(call) = base
            && let Expr::Path(path) = &*call.func
        {
            methods.reverse();
            let whole = range(expr);
            let (outer, handling) = match &self.handled {
                Some((awaited, outer, text)) if *awaited == whole => (outer.clone(), text.clone()),
                _ => (whole.clone(), String::new()),
            };
            let statement = self.statement.clone().filter(|(_, expr)| *expr == outer);
            let dot = range(&expr.dot_token).start;
            let handling_at = whole.end..whole.end + handling.len() - handling.trim_start().len();
            let source = &self.survey.sources[self.file];
            let is_break = |gap: &Range<usize>| !gap.is_empty() && source.slice(gap.clone()).trim().is_empty();
            self.found.push(Chain {
                line_breaks: [range(&*expr.base).end..dot, handling_at].into_iter().filter(is_break).collect(),
                file: self.file,
                function: self.survey.resolve(self.file, &path.path),
                call,
                methods,
                range: range(&*expr.base),
                handling,
                statement: statement.map(|(whole, _)| whole),
                is_nested: self.nested > 0,
                is_in_main: self.function == "main" && self.nested == 0,
                within: self.function.clone(),
                bindings: self.bindings.clone(),
            });
        }
        syn::visit::visit_expr_await(self, expr);
    }
}
