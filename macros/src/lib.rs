//! The attributes of `graceful`: [`macro@main`], [`macro@shutdown_hook`] and [`macro@health_check`].
//!
//! Use them through the `graceful` library (package `graceful-rt`), which re-exports them: expansions contain paths
//! into that library and require exactly the version of these macros.
//!
//! # In executables
//! Put [`#[graceful::main]`](macro@main) on `async fn main`. It starts a tokio runtime, the health server and the
//! signal handlers, runs the function, and performs the shutdown: grace, drain, hooks, exit code.
//!
//! # In libraries
//! Put [`#[graceful::shutdown_hook]`](macro@shutdown_hook) on functions that flush, deregister or close the library's
//! resources, and [`#[graceful::health_check]`](macro@health_check) on functions that check its dependencies. The hooks
//! and checks of all linked crates are collected at link time. A crate that no code names is not linked, so tell users
//! to name it: `#[graceful::main(hooks_from(your_crate))]`.
//!
//! # Compile-time checks
//! The macros check keys, their types, durations, addresses, signals, the signature, and the budget rule
//! `pre_stop + grace + drain + hooks + margin <= termination_grace_period`, with `grace_limit` in place of a shorter
//! `grace`. One compile reports every error, each at the tokens that cause it and with the text to write instead. The
//! function's body is emitted unchanged.

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

/// Runs an `async fn main` on a tokio runtime and shuts the process down gracefully on the first signal.
///
/// ```no_run
/// # use hyper::{Request, Response, body::Incoming};
/// # async fn hello(_: Request<Incoming>) -> Result<Response<String>, std::convert::Infallible> {
/// #     Ok(Response::new(String::new()))
/// # }
/// #[graceful::main(grace = "8s", health = 9000)]
/// async fn main(ctx: graceful::Context) -> std::io::Result<()> {
///     ctx.provide(String::from("state of hooks and checks"));
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
///     let service = hyper::service::service_fn(hello);
///     graceful::serve(listener, service).await // turns ready, serves, and returns after the drain
/// }
/// ```
///
/// The function takes no argument or one `graceful::Context`, and returns `()`, `Result<(), E>`, `ExitCode` or
/// `Result<ExitCode, E>`, where `E: Debug`.
///
/// # Keys
/// All keys are optional. A duration is a string literal of numbers with units (`ms`, `s`, `m`, `h`), such as
/// `"5s"`, `"1m30s"`, `"500ms"` or `"1.5s"`, or a const expression of type `Duration`.
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `grace` | duration | **`"5s"`** | How long to keep serving after the signal, while load balancers remove the pod. Set it longer than they need for that; the period of the probes is irrelevant. |
/// | `quiet` | duration, not zero | **none** | Ends grace once no traffic has arrived for this long: after `grace` at the earliest, after `grace_limit` at the latest. Requires `grace_limit`. Probes are not traffic. |
/// | `grace_limit` | duration longer than `grace` | **none** | With `quiet`: the longest that grace lasts while traffic still arrives. Replaces `grace` in the budget. |
/// | `drain` | duration | **`"10s"`** | How long requests in flight may take after grace. |
/// | `termination_grace_period` | duration | **`"30s"`** | The pod's `terminationGracePeriodSeconds`, which a process can't read: SIGKILL follows this long after the pod's deletion. |
/// | `pre_stop` | duration | **`"0s"`** | The part of the termination grace period that the pod's preStop hook takes before SIGTERM. |
/// | `margin` | duration | **`"1s"`** | Time reserved at the end, so that the process exits before SIGKILL. |
/// | `health` | `"address:port"`, a port (`8081`), or `"off"` | **`"[::]:8081"`** | The address of `/livez`, `/readyz` and `/startupz`. Loopback is an error, because the kubelet can't reach it; for a local run, `GRACEFUL_HEALTH` may set a loopback address. |
/// | `ready` | `"on-serve"` or `"on-start"` | **`"on-serve"`** with a `Context`, **`"on-start"`** without | When `/readyz` turns to 200: once the process serves through this library or calls `ctx.ready()`, or as soon as `main` starts. |
/// | `unready` | `"on-signal"`, `"after-grace"` or `"never"` | **`"on-signal"`** | When `/readyz` turns to 503. `"after-grace"` is for load balancers that reset live connections of an unready target. |
/// | `liveness_heartbeat` | duration, not zero | **none** | `/livez` fails once the runtime of `main` has run no task for this long, so that the kubelet restarts a process that hangs. |
/// | `signals` | list of `"SIGINT"`, `"SIGTERM"`, `"SIGHUP"`, `"SIGQUIT"`, `"SIGUSR1"`, `"SIGUSR2"` | **`["SIGINT", "SIGTERM"]`** | The signals that start the shutdown. |
/// | `init` | `true` or `false` | **`false`** | As PID 1, act as the container's init: run the program as a child, forward signals to it, reap orphans and return its status. Requires the feature `init` and Unix. No effect in a process that is not PID 1. |
/// | `flavor` | `"multi_thread"` or `"current_thread"` | **`"multi_thread"`** | The tokio runtime of `main`, its tasks and the hooks. |
/// | `worker_threads` | positive integer | **one per CPU** | Worker threads of a `multi_thread` runtime. |
/// | `max_blocking_threads` | positive integer | **tokio's, 512** | The maximum number of threads for blocking calls, sync hooks included. |
/// | `hooks_from(crate_a, crate_b)` | names of crates | **none** | Links these crates even if no other code names them, so that their hooks and checks run. If the binary's package also has a library with hooks, name that library here. |
/// | `manifest` | path, or list of paths, relative to the package | **none** | The Kubernetes manifests that deploy the program, checked while it compiles. Requires the feature `manifest`. |
/// | `container` | string | **the only one**, the annotated one, one of the workload's name, or the first | The program's container in the manifests; workloads without one are not checked. Requires `manifest`. |
/// | `dockerfile` | path relative to the package | **none** | The Dockerfile of the container's image, checked in the same way. Requires the feature `manifest`. |
/// | `crate` | absolute path | **`::graceful`** | The path of the library if Cargo.toml renames it (`crate = ::shutdown`) or another crate re-exports it (`crate = ::framework::graceful`). |
///
/// Environment variables override the durations, `health` and `unready`: `GRACEFUL_GRACE=8s` and so on.
///
/// # Extending grace while traffic arrives
/// With `grace = "5s", quiet = "1s", grace_limit = "15s"`, grace ends after 5 s if no traffic has arrived in the last
/// second, otherwise once no traffic has arrived for 1 s, and after 15 s at the latest. The budget counts the worst
/// case: the default plan then needs 15 s + 10 s + 1 s of its 30 s.
///
/// # The budget
/// `pre_stop + grace + drain + hooks + margin` must fit into `termination_grace_period`. The macro rejects literals that
/// exceed it and shows the sum; the compiler evaluates const expressions and rejects those. The hooks' timeouts are
/// known only after linking, so the macro also adds the test `the_shutdown_fits_the_termination_grace_period` to the
/// binary, which `cargo test` runs with the linked hooks.
///
/// # Manifests
/// With the feature `manifest`, `manifest = "deploy/app.yaml"`, `container = "app"` and `dockerfile = "Dockerfile"`
/// check the files against the plan by the rules of `graceful-deploy`. Each finding of severity error is a compile
/// error at the path, with file, line and column; an edit of a file compiles the program again. The generated test
/// runs the same rules with the linked hooks and with const durations, and prints warnings and hints, which fail
/// nothing: `cargo test -- --nocapture` shows them.
///
/// Render Helm charts and kustomizations first. A comment allows a finding where it stands:
/// `# graceful: allow(RULE) because REASON`.
///
/// `cargo doc` checks no files. In a package that `cargo package` made, a file that the package lacks is not checked,
/// so `cargo package`, `cargo publish` and `cargo install` work without the file.
///
/// # Expansion
/// `fn main() -> ExitCode` that contains the function, a hidden constant `__GRACEFUL_PLAN`, and the test. All paths are
/// absolute, so the expansion compiles under `#![no_implicit_prelude]` and with shadowed names.
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::main(attribute.into(), item.into()).into()
}

/// Registers a function as a shutdown hook, which runs once per shutdown, after the drain, on the user's runtime.
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
/// fn log_shutdown() {
///     println!("shut down"); // a sync hook runs on a thread that may block
/// }
/// # fn main() {}
/// ```
///
/// The function is async or sync, and remains callable. It takes, in any order, `graceful::HookContext` (the cause, the
/// deadline, whether the hook has timed out) and `graceful::State<T>` (a value that `main` passed to
/// `ctx.provide(..)`), and returns `()` or `Result<(), E>` where `E: Display`. An error, a panic or a timeout of one
/// hook is reported and never stops the other hooks.
///
/// A hook can be declared in a module or in a function of any linked crate. An associated function can't be a hook,
/// because an `impl` block can't contain the items that the attribute adds, and a method has no receiver. Write a
/// function outside of the block that takes the value as `State<T>`.
///
/// # Keys
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `order` | `i32` literal, or const expression of that type | **required** | Hooks run in ascending order. Hooks of the same order run concurrently, and the next order starts after all of them. |
/// | `timeout` | duration, as in [`macro@main`] | **a fair share** of the remaining time | After this long the hook is abandoned, and the next order runs. Counts in the budget. |
/// | `name` | string | **the function's name** | The hook's name in the log, the plan and the report. |
/// | `crate` | absolute path | **`::graceful`** | The path of the library, as in [`macro@main`]. |
#[proc_macro_attribute]
pub fn shutdown_hook(attribute: TokenStream, item: TokenStream) -> TokenStream {
    hook::shutdown_hook(attribute.into(), item.into()).into()
}

/// Registers a function as a health check, which runs periodically in the background. Probes report its last results.
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
///     pool.ping().await // after three failures in a row, `/readyz` is 503, and `/readyz/db` shows the error
/// }
///
/// #[graceful::health_check(name = "disk", on = "liveness", period = "1m")]
/// fn disk_can_be_written() -> bool {
///     std::fs::write("/tmp/alive", "").is_ok() // a sync check runs on the blocking pool
/// }
/// # fn main() {}
/// ```
///
/// The function is async or sync, and remains callable. It takes, in any order, `graceful::Context` and
/// `graceful::State<T>` (a value that `main` passed to `ctx.provide(..)`), and returns `()` (returning is a success),
/// `bool` or `Result<(), E>` where `E: Display`. An error, `false`, a panic or a timeout is a failure.
///
/// Until its first run ends, and while it waits for a state that `main` has not provided, a check on readiness or
/// startup counts as failing and a check on liveness counts as passing.
///
/// Probes never wait for a check and never start one, so the rate of probes puts no load on a database. Checks run on
/// the user's runtime. A fault is detected after at most `failures` periods and one timeout: 3 × 10 s + 1 s with the
/// defaults.
///
/// A check can be declared in a module or in a function of any linked crate, as a [hook](macro@shutdown_hook) can.
///
/// # In libraries
/// Prefix the name with the crate's (`name = "libdb.pool"`): a process with two checks of the same name refuses to
/// start.
///
/// # In executables
/// Use `on = "liveness"` only for faults that a restart fixes. An unavailable database fails the readiness of every
/// pod; a check on liveness would restart every pod.
///
/// # Keys
/// All keys are optional.
///
/// | key | value | default | what it does |
/// |---|---|---|---|
/// | `name` | string of a-z, A-Z, 0-9, `-`, `_` and `.` | **the function's name** | The check's name in the log, the plan and the probes. It is part of a URL: `/readyz/db`. |
/// | `on` | `"readiness"`, `"liveness"` or `"startup"` | **`"readiness"`** | The probe that the check can fail. A failed `/readyz` stops traffic to the pod, a failed `/livez` restarts the container, and Kubernetes defers both until `/startupz` passes once. |
/// | `period` | duration, not zero, as in [`macro@main`] | **`"10s"`** | The time from the start of one run to the start of the next. |
/// | `timeout` | duration, not zero, not longer than `period` | **`"1s"`** | After this long a run is abandoned and counts as a failure. |
/// | `failures` | positive integer | **`3`** | The probe fails after this many failures in a row and passes after one success. |
/// | `crate` | absolute path | **`::graceful`** | The path of the library, as in [`macro@main`]. |
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

    /// The name of an entry point, its keys, its function, and an item that the attribute accepts.
    type Entry = (&'static str, &'static Attribute, fn(TokenStream, TokenStream) -> TokenStream, &'static str);

    const ENTRIES: [Entry; 3] = [
        ("main", &MAIN, crate::main_fn::main, "async fn main() {}"),
        ("shutdown_hook", &SHUTDOWN_HOOK, crate::hook::shutdown_hook, "async fn flush() {}"),
        ("health_check", &HEALTH_CHECK, crate::check::health_check, "async fn db() {}"),
    ];

    /// The documentation of an attribute's entry point.
    fn docs(function: &str) -> String {
        let source = include_str!("lib.rs");
        let end = source.find(&format!("pub fn {function}(")).unwrap();
        let before = source[..end].lines().rev().skip(1);
        before.take_while(|line| line.starts_with("///")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn docs_have_one_row_per_key() {
        for (function, attribute, ..) in ENTRIES {
            let docs = docs(function);
            let rows: Vec<&str> =
                docs.lines().filter_map(|line| line.strip_prefix("/// | `")?.split(['`', '(']).next()).rev().collect();
            let names: Vec<&str> = attribute.keys.iter().map(|key| key.name).collect();
            assert_eq!(rows, names, "{function}");
        }
    }

    #[test]
    fn the_table_of_the_readme_lists_exactly_the_keys_of_main() {
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
                // These read files; `main_fn/tests.rs` and the crate `trybuild` have their cases.
                if ["manifest", "container", "dockerfile"].contains(&key.name) {
                    continue;
                }
                // The key that this one requires.
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
    fn no_name_of_another_framework_stands_for_two_keys() {
        for (function, attribute, ..) in ENTRIES {
            let names: Vec<&str> = attribute.names().collect();
            let twice = names.iter().find(|name| names.iter().filter(|other| other == name).count() > 1);
            assert_eq!(twice, None, "{function}");
        }
    }
}
