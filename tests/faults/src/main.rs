//! Runs shutdowns with faults. The same program is the app that shuts down, if the harness starts it.

mod app;

use graceful_faults::{cell::{Cell, Runtime}, fault::Fault, moment::Moment, run::run};
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::var_os(app::SOCKET).is_some() {
        return app::main();
    }
    let cell = Cell::new(Moment::Serving, vec![Fault::None], Runtime::Workers);
    let observed = run(&cell, &std::env::current_exe().unwrap()).unwrap();
    println!("{cell}\n{}", observed.all());
    ExitCode::SUCCESS
}
