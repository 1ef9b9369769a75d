//! The attributes of `graceful`: [`macro@main`] and [`macro@shutdown_hook`].
//!
//! Use them through the `graceful` library (package `graceful-rt`), which re-exports both: an expansion names that
//! library, at exactly the version of these macros. Its documentation has the runnable examples.
//!
//! # In executables
//! Put [`#[graceful::main]`](macro@main) on `async fn main`. It starts a tokio runtime, the health server and the
//! signal handlers, runs the function, and takes the process from SIGTERM to its exit: grace, drain, hooks, exit code.
//!
//! # In libraries
//! Put [`#[graceful::shutdown_hook]`](macro@shutdown_hook) on the function that flushes, deregisters or closes what the
//! library owns. Every hook of every linked crate is found at link time. A crate that no code names is not linked, so
//! tell your users to name it: `#[graceful::main(hooks_from(your_crate))]`.
//!
//! # What is checked at compile time
//! Keys, their types, durations, addresses, signals, the signature, and the budget rule
//! `pre_stop + grace + drain + hooks + margin <= termination_grace_period`. Every mistake is reported, each at its own
//! place, each with what to write instead. The function's body is not looked at: it comes out as it went in.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod diagnostics;
#[cfg(test)]
mod golden;
mod hook;
mod item;
mod main_fn;
mod paths;
mod values;

use proc_macro::TokenStream;

/// Runs an `async fn main` on a tokio runtime and takes the process from its first signal to its exit.
///
/// ```ignore (the library that this expands to depends on this crate; its docs have the example that runs)
/// #[graceful::main(grace = "8s", health = 9000, hooks_from(libdb))]
/// async fn main(ctx: graceful::Context) -> anyhow::Result<()> {
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
///     graceful::serve(listener, service()).await?; // ready once it serves; returns once it has drained
///     Ok(())
/// }
/// ```
///
/// The function takes nothing or one `graceful::Context`, and returns `()`, `Result<(), E>`, `ExitCode` or
/// `Result<ExitCode, E>`, where `E: Debug`.
///
/// # Keys
/// All of them can be left out. A duration is a string literal of numbers with units (`ms`, `s`, `m`, `h`), such as
/// `"5s"`, `"1m30s"`, `"500ms"` or `"1.5s"`, or a const expression of type `Duration`.
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `grace` | duration | **`"5s"`** | How long to go on serving after the signal, while load balancers forget the pod. Longer than they need for it; it is not the probes' period. |
/// | `drain` | duration | **`"10s"`** | How long requests in flight get after that. |
/// | `termination_grace_period` | duration | **`"30s"`** | The pod's `terminationGracePeriodSeconds`, which nothing can read at run time: SIGKILL follows the deletion after this long. |
/// | `pre_stop` | duration | **`"0s"`** | What the pod's preStop hook spends of that before the signal comes. |
/// | `margin` | duration | **`"1s"`** | What is kept free at the end, to exit before SIGKILL. |
/// | `health` | `"address:port"`, a port (`8081`), or `"off"` | **`"[::]:8081"`** | Where `/livez`, `/readyz` and `/startupz` are answered. Not on loopback, which the kubelet can't reach; for a local run, `GRACEFUL_HEALTH` may say so. |
/// | `ready` | `"on-serve"` or `"on-start"` | **`"on-serve"`** with a `Context`, **`"on-start"`** without | When `/readyz` turns 200: once the process serves through this library or calls `ctx.ready()`, or as soon as `main` starts. |
/// | `unready` | `"on-signal"`, `"after-grace"` or `"never"` | **`"on-signal"`** | When `/readyz` turns 503. `"after-grace"` is for load balancers that reset live connections of an unready target. |
/// | `signals` | list of `"SIGINT"`, `"SIGTERM"`, `"SIGHUP"`, `"SIGQUIT"`, `"SIGUSR1"`, `"SIGUSR2"` | **`["SIGINT", "SIGTERM"]`** | What starts the shutdown. |
/// | `flavor` | `"multi_thread"` or `"current_thread"` | **`"multi_thread"`** | The kind of tokio runtime that `main`, its tasks and the hooks run on. |
/// | `worker_threads` | positive integer | **one per CPU** | Workers of a `multi_thread` runtime. |
/// | `max_blocking_threads` | positive integer | **tokio's, 512** | Most threads for blocking calls, sync hooks among them. |
/// | `hooks_from(crate_a, crate_b)` | names of crates | **none** | Links these crates even if no other code names them, so that their hooks are found. A binary whose package has a library too names that one here. |
/// | `crate` | absolute path | **`::graceful`** | Where the library is, if Cargo.toml renames it (`crate = ::shutdown`) or another crate re-exports it (`crate = ::framework::graceful`). |
///
/// The durations, `health` and `unready` can be overridden by the environment: `GRACEFUL_GRACE=8s` and so on.
///
/// # The budget
/// `pre_stop + grace + drain + hooks + margin` must fit into `termination_grace_period`. With literals, the macro
/// refuses a plan that does not and shows the sum; with const expressions, the compiler does. The hooks' timeouts are
/// only known once everything is linked, so the macro also adds the test
/// `the_shutdown_fits_the_termination_grace_period` to the binary, for `cargo test` to run with the real hooks.
///
/// # What it expands to
/// `fn main() -> ExitCode` with the function inside of it, a hidden constant `__GRACEFUL_PLAN`, and that test. What is
/// named is absolute, so that neither `#![no_implicit_prelude]` nor a shadowed name gets in the way.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::main(attribute.into(), item.into()).into()
}

/// Makes a function a shutdown hook: it runs once in every shutdown, after the drain, on the user's runtime.
///
/// ```ignore (the library that this expands to depends on this crate; its docs have the example that runs)
/// #[graceful::shutdown_hook(order = 1, timeout = "3s")]
/// async fn flush(queue: graceful::State<Queue>) -> Result<(), FlushError> {
///     queue.flush().await
/// }
///
/// #[graceful::shutdown_hook(order = 2)]
/// fn say_goodbye() {
///     println!("bye"); // a sync hook runs on the blocking pool
/// }
/// ```
///
/// The function is async or sync, and stays callable as it is. It takes, in any order, `graceful::HookContext` (the
/// cause, the deadline, whether it was given up on) and `graceful::State<T>` (a value that `main` gave to
/// `ctx.provide(..)`), and returns `()` or `Result<(), E>` where `E: Display`. An error, a panic or a timeout of one
/// hook is reported and never stops the others.
///
/// It stands in a module or in a function, in any linked crate. An associated function can't be a hook: in an `impl`
/// block there is no place for what the attribute adds, and no value to call a method on. Put a function beside the
/// block, and take the value as `State<T>`.
///
/// # Keys
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `order` | `i32` literal, or const expression of that type | **required** | Hooks run in ascending order. Those of one order run together, and the next order waits for all of them. |
/// | `timeout` | duration, as in [`macro@main`] | **a fair share** of the time that is left | After this long the hook is given up on, and the next ones run. Counts in the budget. |
/// | `name` | string | **the function's name** | What the log, the plan and the report call it. |
/// | `crate` | absolute path | **`::graceful`** | Where the library is, as in [`macro@main`]. |
#[proc_macro_attribute]
pub fn shutdown_hook(attribute: TokenStream, item: TokenStream) -> TokenStream {
    hook::shutdown_hook(attribute.into(), item.into()).into()
}

#[cfg(test)]
mod tests {
    use crate::args::{Attribute, MAIN, SHUTDOWN_HOOK};

    /// The documentation that stands above an attribute's entry point.
    fn docs(function: &str) -> String {
        let source = include_str!("lib.rs");
        let end = source.find(&format!("pub fn {function}(")).unwrap();
        let before = source[..end].lines().rev().skip(1);
        before.take_while(|line| line.starts_with("///")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_key_has_its_row_in_the_docs_and_every_row_its_key() {
        for (function, attribute) in [("main", &MAIN), ("shutdown_hook", &SHUTDOWN_HOOK)] {
            let Attribute { keys, .. } = attribute;
            let docs = docs(function);
            let rows: Vec<&str> =
                docs.lines().filter_map(|line| line.strip_prefix("/// | `")?.split(['`', '(']).next()).rev().collect();
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            assert_eq!(rows, names, "{function}");
        }
    }

    #[test]
    fn every_example_of_a_key_is_accepted() {
        for (function, attribute) in [("main", &MAIN), ("shutdown_hook", &SHUTDOWN_HOOK)] {
            for key in attribute.keys {
                let order = if function == "main" || key.name == "order" { "" } else { "order = 1, " };
                let tokens = format!("{order}{}", key.example).parse().unwrap();
                let expanded = match function {
                    "main" => crate::main_fn::main(
                        tokens,
                        quote::quote!(
                            async fn main() {}
                        ),
                    ),
                    _ => crate::hook::shutdown_hook(
                        tokens,
                        quote::quote!(
                            async fn flush() {}
                        ),
                    ),
                };
                assert!(!expanded.to_string().contains("compile_error"), "{}: {expanded}", key.example);
            }
        }
    }
}
