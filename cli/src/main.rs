//! `cargo graceful`: the shutdown of a program, drawn and rehearsed.

mod check;
mod commands;
mod console;
mod exit_code;
mod init;
mod kubernetes;
mod load;
mod manifest;
mod plan;
mod process;
mod replace;
mod report;
mod style;
mod svg;

use exit_code::{ExitCode, Failure};
use std::io::Write;

fn main() -> std::process::ExitCode {
    // cargo starts `cargo-graceful graceful ...` for `cargo graceful ...`.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == "graceful") {
        arguments.remove(1);
    }
    let arguments = commands::Arguments::parse(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(arguments.run());
            // A load that was interrupted may still wait for responses.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::new(ExitCode::Io, format!("cannot start the runtime: {error}"))),
    };
    let code = result.unwrap_or_else(|failure| {
        let _ = writeln!(anstream::stderr(), "{}: {}", style::paint(style::BAD, "error"), failure.message);
        failure.code
    });
    code.into()
}
