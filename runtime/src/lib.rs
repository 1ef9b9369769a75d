//! Graceful shutdown for services on Kubernetes: one attribute on `main`, one on each hook, and no failed request.
//!
//! ```no_run
//! use hyper::{Request, Response, body::Incoming, service::service_fn};
//! use std::convert::Infallible;
//!
//! async fn hello(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
//!     Ok(Response::new("hello\n".to_owned()))
//! }
//!
//! #[graceful::main(grace = "5s", ready = "on-serve")]
//! async fn main() -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
//!     graceful::serve(listener, service_fn(hello)).await // ready once it serves; returns once it has drained
//! }
//!
//! #[graceful::shutdown_hook(order = 1, timeout = "3s")]
//! async fn flush_orders() -> Result<(), std::io::Error> {
//!     Ok(()) // runs after the drain
//! }
//! ```
//!
//! # What happens after SIGTERM
//!
//! Kubernetes sends SIGTERM and takes the pod out of its endpoints *at the same time*, so traffic still arrives at a
//! process that has been asked to stop. A process goes through these [phases](Phase), never backwards:
//!
//! | phase | entered when | `/readyz` | new connections | responses |
//! |---|---|---|---|---|
//! | starting | the process starts; signals and probes are handled from here on | 503 `starting` | | |
//! | serving | it [serves](serve()), or calls [`Context::ready`] | 200 | accepted | keep-alive |
//! | grace | the first signal, or [`Context::shutdown`] | 503 `draining` | accepted | a growing share say `Connection: close` |
//! | draining | grace is over | 503 | those in the listener's backlog; then refused | `Connection: close` |
//! | hooks | `main` has returned and nothing is in flight, or the drain deadline | 503 | refused | |
//! | stopped | the hooks have ended | 503 | | |
//!
//! Liveness stays 200 to the end, and the health server closes last. Grace is skipped when no traffic was routed to the
//! process, because it was never ready, and when `main` returns by itself. A second SIGTERM changes nothing; a second
//! SIGINT skips the rest of grace and drain; a third one exits at once, and the report names the hooks that have not ended.
//!
//! Signals, probes and every deadline are handled on a thread of their own. If the runtime of `main` is starved or
//! blocked, they still work, and the process still exits before SIGKILL and names the tasks that were stuck.
//!
//! # The budget
//!
//! `pre_stop + grace + drain + hooks + margin <= termination_grace_period`, where `hooks` is the sum over the orders
//! of the longest explicit timeout. With the defaults, 0 s + 5 s + 10 s + 0 s + 1 s of 30 s leave 14 s for hooks
//! without a timeout, which share it evenly. The rule is checked by the attribute, by a test that it adds to your
//! binary, and at start-up after the environment's overrides: a process whose plan does not fit refuses to start.
//!
//! # In executables
//!
//! Put [`main`](macro@main) on `async fn main`. It takes nothing or a [`Context`], and may return `()`,
//! `Result<(), E>`, `ExitCode` or `Result<ExitCode, E>`. Serve with [`serve`](serve()); pass values to hooks with
//! [`Context::provide`]; make the drain wait for tasks with [`Context::spawn`] and [`Context::track`].
//!
//! # In libraries
//!
//! Put [`shutdown_hook`](macro@shutdown_hook) on a function: it is collected at link time into the same order as the
//! application's own. A crate that no code names is not linked, and its hooks are not collected: document that users of
//! your library write `hooks_from(the_library)`. Code that needs the context takes a [`Context`], or calls
//! [`context()`].
//!
//! A `cdylib` that a program loads at run time contains a copy of this crate, with hooks and checks of its own: those of
//! the cdylib are not part of the program's shutdown. Export a function of the cdylib, and call it in a hook of the program.
//!
//! # In tests
//!
//! [`Builder::for_tests`] runs a whole lifecycle in the runtime of a test, with paused time and injected signals, and
//! returns the [`Report`].
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | everything finished in time |
//! | 1 | `main` returned an error |
//! | 3 | something was cut short, or a hook failed, panicked or timed out |
//! | 70 | a fault in this crate itself |
//! | 78 | refused to start: wrong configuration, the health address is taken, or a check's state was never provided |
//! | 101 | `main` panicked |
//! | 128 + n | forced by signal n: the third SIGINT gives 130 |
//!
//! A non-zero `ExitCode` that `main` returns is the exit code. With `panic = "abort"` a panic anywhere ends the process
//! at once (134), without drain and hooks: services that want them keep the default, unwinding.
//!
//! # Output
//!
//! Every phase, hook and cut becomes a `tracing` event with the target `graceful`, or a plain line on stderr where no
//! subscriber is installed. Stable fields: `phase` on phases; `hook`, `order`, `outcome` (`ok`, `failed`, `panicked`,
//! `timed_out`, `skipped`) and `took_ms` on hooks; `cut` and `count` on tasks and connections that were cut;
//! `waited_for` and `took_ms` on the one that the drain waited for longest, if that took 100 ms or more. Spans: `phase`
//! (field `phase`) around the events of a phase, and `shutdown_hook` (fields `hook` and `order`) around the events of a
//! hook's own code. The summary is also written to `/dev/termination-log`, or to the file that
//! `GRACEFUL_TERMINATION_LOG` names; `kubectl describe pod` shows it.
//! `GRACEFUL_PRINT=plan` prints the effective plan with every linked hook as JSON, and exits.
//!
//! # Health checks
//!
//! [`health_check`](macro@health_check) on a function makes it a part of readiness, liveness or start-up. Checks run in
//! the background, on the runtime of `main`, and probes read their last result: a probe never waits for a check, and
//! the number of probes puts no load on the dependency. `/readyz?verbose` shows all of them, `/readyz/NAME` one, and
//! `/readyz?exclude=NAME` leaves one out. `liveness_heartbeat = "10s"` on `main` adds a check that the runtime still
//! runs tasks. [`Context::answer_probes_with`] replaces the responses.
//!
//! # Grace that waits for quiet
//!
//! With `quiet = "1s", grace_limit = "20s"`, grace lasts at least `grace`, ends once no traffic has arrived for `quiet`
//! (no request; with [`tcp::serve`], no connection), and never lasts longer than `grace_limit`, which is the length
//! that the budget uses. Probes are not traffic, nor are HTTP connections without a request, which TCP probes make too.
//!
//! # Other servers and protocols
//!
//! [`serve`](serve()) speaks HTTP on TCP, Unix sockets and any [`Listener`]; [`with_handshake`] puts TLS before it;
//! [`tcp::serve`] serves any protocol. Upgraded connections (WebSocket) are in flight until they are dropped; a
//! handler that streams ends its stream when [`Context::draining`] resolves. A server of another framework keeps its
//! own accept loop: give it [`Context::draining`] as its shutdown signal, await it in `main`, and call
//! [`Context::ready`]; `graceful::tower` asks its clients to reconnect. The repository's `examples` have axum, gRPC,
//! WebSocket, SSE, TLS, actix-web, Rocket and more.
//!
//! # Containers and process managers
//!
//! It works as PID 1. With `init = true` and the feature `init`, PID 1 is a tiny init that forwards signals to the
//! program and reaps orphans: for programs that start processes of their own. If PID 1 is a shell, which does not
//! forward SIGTERM, the log warns at the start. `GRACEFUL_PRESTOP_TOKEN` enables `/prestop` on the health server: it
//! begins the shutdown and responds when grace is over, for requests whose header `X-Graceful-Token` has that value.
//! With the feature `systemd`, systemd receives READY, STOPPING and requests for more time, and its watchdog is fed for
//! as long as the runtime of `main` runs tasks.
//!
//! # Platforms
//!
//! Tested on Linux. macOS has the same signals and sockets. On Windows, Ctrl-C and Ctrl-Break are SIGINT;
//! console close, logoff and system shutdown are SIGTERM (Windows gives such a process a few seconds, so keep
//! `termination_grace_period` below 5 s there); the other signals never arrive; a service's control handler calls
//! [`Context::shutdown`]. There are no Unix sockets, no init and no termination log there. macOS and Windows are not
//! tested.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `http2` | HTTP/2 with prior knowledge in [`serve`](serve()), on the same port |
//! | `axum` | `graceful::axum::serve(listener, router)`, probe routes for a router, `Context` as an extractor |
//! | `systemd` | READY, STOPPING, more time while it shuts down, and the watchdog, where systemd asks for them |
//! | `metrics` | phases, tasks and connections in flight, drained and cut, hooks and checks, through the `metrics` facade |
//! | `init` | `init = true`: as PID 1, forward signals and reap orphans |
//! | `manifest` | `manifest = "deploy/app.yaml"`: manifests and Dockerfiles checked at compile time |
//! | `testing` | `graceful::testing`: a whole lifecycle in a test, with paused time |
//! | `tonic` | `graceful::tonic::serve(listener, routes)`, and `grpc.health.v1` beside the HTTP probes; with `http2` |
//! | `tower` | `graceful::tower::GracefulLayer` for servers that this crate does not run |

// Expansions of the attributes name `::graceful`, in this crate's own examples too.
extern crate self as graceful;

mod phase;
mod cause;
mod error;
mod spare_descriptor;
mod report;
mod os;
mod hooks;
mod drain;
mod checks;
mod shared;
mod context;
mod settings;
mod serve;
mod health;
mod integrations;
mod lifecycle;
mod builder;
#[cfg(feature = "testing")]
pub mod testing;
#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "__fuzz")]
#[doc(hidden)]
#[path = "fuzz.rs"]
pub mod __fuzz;

pub use builder::{Builder, Triggers};
pub use cause::{Cause, Signal};
pub use checks::descriptor::{CheckReturn, FromCheckContext};
pub use context::{Context, context, try_context};
pub use drain::supervise::{OnFailure, TaskReturn};
pub use error::StartError;
pub use graceful_macros::{health_check, main, shutdown_hook};
pub use graceful_plan::{Health, Plan, Ready, Unready};
pub use health::probe::Probe;
pub use hooks::descriptor::{FromHookContext, HookContext, HookReturn, MissingState};
pub use hooks::state::State;
#[cfg(feature = "axum")]
pub use integrations::axum;
#[cfg(feature = "metrics")]
pub use integrations::metrics;
#[cfg(all(feature = "systemd", unix))]
pub use integrations::systemd;
#[cfg(feature = "tonic")]
pub use integrations::tonic;
#[cfg(feature = "tower")]
pub use integrations::tower;
pub use lifecycle::main_run::MainReturn;
pub use lifecycle::runtime_config::Flavor;
pub use phase::Phase;
pub use report::{
    check_state::{CheckState, CheckStatus, On},
    outcome::{HookName, HookOutcome, HookReport, MainResult},
    summary::Report,
    timeline::{Entry, Level, What},
};
pub use serve::{
    ConnectionService, Handshake, Handshaking, HttpService, Listener, Serve, Stream, Transport, serve, tcp,
    with_handshake,
};
