//! The attributes of `graceful`: [`macro@main`], [`macro@shutdown_hook`] and [`macro@health_check`].
//!
//! Use them through the `graceful` library (package `graceful-rt`), which re-exports them: an expansion names that
//! library, at exactly the version of these macros.
//!
//! # In executables
//! Put [`#[graceful::main]`](macro@main) on `async fn main`. It starts a tokio runtime, the health server and the
//! signal handlers, runs the function, and takes the process from SIGTERM to its exit: grace, drain, hooks, exit code.
//!
//! # In libraries
//! Put [`#[graceful::shutdown_hook]`](macro@shutdown_hook) on the function that flushes, deregisters or closes what the
//! library owns, and [`#[graceful::health_check]`](macro@health_check) on the function that finds out whether what it
//! depends on is there. Every hook and every check of every linked crate is found at link time. A crate that no code
//! names is not linked, so tell your users to name it: `#[graceful::main(hooks_from(your_crate))]`.
//!
//! # What is checked at compile time
//! Keys, their types, durations, addresses, signals, the signature, and the budget rule
//! `pre_stop + grace + drain + hooks + margin <= termination_grace_period`, with `grace_limit` for `grace` where it is
//! longer. Every mistake is reported, each at its own
//! place, each with what to write instead. The function's body is not looked at: it comes out as it went in.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod diagnostics;
mod paths;
mod args;
mod values;
mod item;
mod linked;
mod main_fn;
mod hook;
mod check;
#[cfg(test)]
mod golden;

use proc_macro::TokenStream;

/// Runs an `async fn main` on a tokio runtime and takes the process from its first signal to its exit.
///
/// ```no_run
/// # use hyper::{Request, Response, body::Incoming};
/// # async fn answer(_: Request<Incoming>) -> Result<Response<String>, std::convert::Infallible> {
/// #     Ok(Response::new(String::new()))
/// # }
/// #[graceful::main(grace = "8s", health = 9000)]
/// async fn main(ctx: graceful::Context) -> std::io::Result<()> {
///     ctx.provide(vec!["what", "hooks", "and", "checks", "need"]);
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
///     let service = hyper::service::service_fn(answer);
///     graceful::serve(listener, service).await // ready once it serves; returns once it has drained
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
/// | `quiet` | duration, not zero | **none** | Grace ends once nothing has arrived for this long: not before `grace`, and not after `grace_limit`, which it needs. Probes are not traffic. |
/// | `grace_limit` | duration longer than `grace` | **none** | With `quiet`: how long grace may become while traffic still comes. Takes the place of `grace` in the budget. |
/// | `drain` | duration | **`"10s"`** | How long requests in flight get after that. |
/// | `termination_grace_period` | duration | **`"30s"`** | The pod's `terminationGracePeriodSeconds`, which nothing can read at run time: SIGKILL follows the deletion after this long. |
/// | `pre_stop` | duration | **`"0s"`** | What the pod's preStop hook spends of that before the signal comes. |
/// | `margin` | duration | **`"1s"`** | What is kept free at the end, to exit before SIGKILL. |
/// | `health` | `"address:port"`, a port (`8081`), or `"off"` | **`"[::]:8081"`** | Where `/livez`, `/readyz` and `/startupz` are answered. Not on loopback, which the kubelet can't reach; for a local run, `GRACEFUL_HEALTH` may say so. |
/// | `ready` | `"on-serve"` or `"on-start"` | **`"on-serve"`** with a `Context`, **`"on-start"`** without | When `/readyz` turns 200: once the process serves through this library or calls `ctx.ready()`, or as soon as `main` starts. |
/// | `unready` | `"on-signal"`, `"after-grace"` or `"never"` | **`"on-signal"`** | When `/readyz` turns 503. `"after-grace"` is for load balancers that reset live connections of an unready target. |
/// | `liveness_heartbeat` | duration, not zero | **none** | `/livez` fails once the runtime of `main` has not run a task for this long, so that a process that hangs is restarted. |
/// | `signals` | list of `"SIGINT"`, `"SIGTERM"`, `"SIGHUP"`, `"SIGQUIT"`, `"SIGUSR1"`, `"SIGUSR2"` | **`["SIGINT", "SIGTERM"]`** | What starts the shutdown. |
/// | `init` | `true` or `false` | **`false`** | As PID 1, be the container's init: run the program as a child, forward signals to it, reap orphans and return its status. Needs the feature `init` and Unix. A process that is not PID 1 starts as ever. |
/// | `flavor` | `"multi_thread"` or `"current_thread"` | **`"multi_thread"`** | The kind of tokio runtime that `main`, its tasks and the hooks run on. |
/// | `worker_threads` | positive integer | **one per CPU** | Workers of a `multi_thread` runtime. |
/// | `max_blocking_threads` | positive integer | **tokio's, 512** | Most threads for blocking calls, sync hooks among them. |
/// | `hooks_from(crate_a, crate_b)` | names of crates | **none** | Links these crates even if no other code names them, so that their hooks and checks are found. A binary whose package has a library too names that one here. |
/// | `crate` | absolute path | **`::graceful`** | Where the library is, if Cargo.toml renames it (`crate = ::shutdown`) or another crate re-exports it (`crate = ::framework::graceful`). |
///
/// The durations, `health` and `unready` can be overridden by the environment: `GRACEFUL_GRACE=8s` and so on.
///
/// # Grace that waits for quiet
/// With `grace = "5s", quiet = "1s", grace_limit = "15s"`, grace ends after 5 s if nothing has arrived since 4 s; else
/// once nothing has arrived for 1 s; after 15 s in any case. The worst case counts: the default plan then needs
/// 15 s + 10 s + 1 s of its 30 s.
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
/// ```no_run
/// # struct Queue;
/// # impl Queue {
/// #     async fn flush(&self) -> Result<(), std::io::Error> {
/// #         Ok(())
/// #     }
/// # }
/// #[graceful::shutdown_hook(order = 1, timeout = "3s")]
/// async fn flush(queue: graceful::State<Queue>) -> Result<(), std::io::Error> {
///     queue.flush().await
/// }
///
/// #[graceful::shutdown_hook(order = 2)]
/// fn say_goodbye() {
///     println!("bye"); // a sync hook runs on the blocking pool
/// }
/// # fn main() {}
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

/// Makes a function a health check: it runs again and again in the background, and probes are told its last result.
///
/// ```no_run
/// # struct Pool;
/// # impl Pool {
/// #     async fn ping(&self) -> Result<(), std::io::Error> {
/// #         Ok(())
/// #     }
/// # }
/// #[graceful::health_check(period = "2s", timeout = "500ms")]
/// async fn db(pool: graceful::State<Pool>) -> Result<(), std::io::Error> {
///     pool.ping().await // three failures in a row: `/readyz` is 503, and `/readyz/db` says why
/// }
///
/// #[graceful::health_check(name = "disk", on = "liveness", period = "1m")]
/// fn disk_can_be_written() -> bool {
///     std::fs::write("/tmp/alive", "").is_ok() // a sync check runs on the blocking pool
/// }
/// # fn main() {}
/// ```
///
/// The function is async or sync, and stays callable as it is. It takes, in any order, `graceful::Context` and
/// `graceful::State<T>` (a value that `main` gave to `ctx.provide(..)`), and returns `()` (a check that ends is a check
/// that passes), `bool` or `Result<(), E>` where `E: Display`. An error, `false`, a panic or a timeout is a failure.
///
/// Until its first run has ended, and while it waits for a state that `main` has not provided yet, a check on readiness
/// or start-up has not passed, and one on liveness has not failed.
///
/// Probes never wait for a check and never start one, so nobody can load the database by probing. Checks run on the
/// user's runtime. What is wrong is known `failures` periods later at most, and a timeout more: with the defaults,
/// 3 × 10 s + 1 s.
///
/// It stands in a module or in a function, in any linked crate, as a [hook](macro@shutdown_hook) does.
///
/// # In libraries
/// Give the check a name with your crate's in it (`name = "libdb.pool"`): two checks of one name are refused at start.
///
/// # In executables
/// Use `on = "liveness"` only for what a restart mends. A database that is down fails the readiness of every pod; as
/// liveness, it would restart them all.
///
/// # Keys
/// All of them can be left out.
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `name` | string of a-z, A-Z, 0-9, `-`, `_` and `.` | **the function's name** | What the log, the plan and the probes call it. It is a part of a URL: `/readyz/db`. |
/// | `on` | `"readiness"`, `"liveness"` or `"startup"` | **`"readiness"`** | Which probe it fails: `/readyz` sends no traffic here, `/livez` restarts the container, `/startupz` holds both back until it has passed once. |
/// | `period` | duration, not zero, as in [`macro@main`] | **`"10s"`** | How long it is from one run to the next. |
/// | `timeout` | duration, not zero, not longer than `period` | **`"1s"`** | After this long a run is given up on, and has failed. |
/// | `failures` | positive integer | **`3`** | The probe fails after so many failures in a row; one success mends it. |
/// | `crate` | absolute path | **`::graceful`** | Where the library is, as in [`macro@main`]. |
#[proc_macro_attribute]
pub fn health_check(attribute: TokenStream, item: TokenStream) -> TokenStream {
    check::health_check(attribute.into(), item.into()).into()
}

#[cfg(test)]
mod tests {
    use crate::{
        args::{Attribute, HEALTH_CHECK, MAIN, SHUTDOWN_HOOK},
        golden::errors,
    };
    use proc_macro2::TokenStream;

    /// An entry point's name, its keys, itself, and a function that it goes on.
    type Entry = (&'static str, &'static Attribute, fn(TokenStream, TokenStream) -> TokenStream, &'static str);

    const ENTRIES: [Entry; 3] = [
        ("main", &MAIN, crate::main_fn::main, "async fn main() {}"),
        ("shutdown_hook", &SHUTDOWN_HOOK, crate::hook::shutdown_hook, "async fn flush() {}"),
        ("health_check", &HEALTH_CHECK, crate::check::health_check, "async fn db() {}"),
    ];

    /// The documentation that stands above an attribute's entry point.
    fn docs(function: &str) -> String {
        let source = include_str!("lib.rs");
        let end = source.find(&format!("pub fn {function}(")).unwrap();
        let before = source[..end].lines().rev().skip(1);
        before.take_while(|line| line.starts_with("///")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_key_has_its_row_in_the_docs_and_every_row_its_key() {
        for (function, attribute, ..) in ENTRIES {
            let docs = docs(function);
            let rows: Vec<&str> =
                docs.lines().filter_map(|line| line.strip_prefix("/// | `")?.split(['`', '(']).next()).rev().collect();
            let names: Vec<&str> = attribute.keys.iter().map(|key| key.name).collect();
            assert_eq!(rows, names, "{function}");
        }
    }

    #[test]
    fn every_key_of_main_stands_in_the_table_of_the_readme_and_no_other() {
        let readme = include_str!("../../README.md");
        let table = readme.split("## Keys of").nth(1).unwrap().lines().skip_while(|line| !line.starts_with("| `"));
        let rows = table.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
        let mut found: Vec<&str> = rows.flat_map(|keys| keys.split('`').skip(1).step_by(2)).collect();
        found.iter_mut().for_each(|key| *key = key.split('(').next().unwrap());
        let mut keys: Vec<&str> = MAIN.keys.iter().map(|key| key.name).collect();
        found.sort_unstable();
        keys.sort_unstable();
        assert_eq!(found, keys);
    }

    #[test]
    fn every_example_of_a_key_is_accepted() {
        for (function, attribute, entry, item) in ENTRIES {
            for key in attribute.keys {
                // What the key does not go without.
                let other = match (function, key.name) {
                    ("main", "quiet") => "grace_limit",
                    ("main", "grace_limit") => "quiet",
                    ("shutdown_hook", name) if name != "order" => "order",
                    _ => "",
                };
                let other = attribute.keys.iter().find(|key| key.name == other).map_or("", |key| key.example);
                let tokens = format!("{}, {other}", key.example).parse().unwrap();
                let errors = errors(&entry(tokens, item.parse().unwrap()));
                assert!(errors.is_empty(), "{function}, {}: {errors:?}", key.example);
            }
        }
    }

    #[test]
    fn no_name_from_elsewhere_stands_for_two_keys() {
        for (function, attribute, ..) in ENTRIES {
            let names: Vec<&str> = attribute.names().collect();
            let twice = names.iter().find(|name| names.iter().filter(|other| other == name).count() > 1);
            assert_eq!(twice, None, "{function}");
        }
    }
}
