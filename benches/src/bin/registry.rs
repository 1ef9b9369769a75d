//! Time to collect, sort and group 10,000 linked hooks at start, in a new process for each round.
//!
//! `assert_plan`, which the attribute's generated test calls, performs these steps and sums the budget.

use graceful::{
    __private::{GRACEFUL_HOOKS_V1, Hook, HookRun, assert_plan, linkme},
    Plan,
};
use graceful_benches::{Result, now, numbers, numbers::Samples, subject, subject::Subject};
use std::env;

const ROUNDS: usize = 100;

/// The expansion of `#[graceful::shutdown_hook]`, with name and order made of the digits of the hook's number. The
/// orders are scattered over the section, and each has 100 hooks.
macro_rules! hook {
    ($a:literal $b:literal $c:literal $d:literal) => {
        const _: () = {
            #[linkme::distributed_slice(GRACEFUL_HOOKS_V1)]
            #[linkme(crate = linkme)]
            static HOOK: Hook = Hook {
                name: concat!("hook_", $a, $b, $c, $d),
                order: $d * 10 + $b,
                timeout: None,
                package: env!("CARGO_PKG_NAME"),
                module: module_path!(),
                file: file!(),
                line: line!(),
                start: |_| Ok(HookRun::blocking(|| Ok(()))),
            };
        };
    };
    ($($digits:literal)*) => {
        hook!($($digits)* 0);
        hook!($($digits)* 1);
        hook!($($digits)* 2);
        hook!($($digits)* 3);
        hook!($($digits)* 4);
        hook!($($digits)* 5);
        hook!($($digits)* 6);
        hook!($($digits)* 7);
        hook!($($digits)* 8);
        hook!($($digits)* 9);
    };
}
hook!();

fn main() -> Result {
    if env::args().nth(1).as_deref() == Some("build") {
        let begun = now();
        assert_plan(&Plan::DEFAULT);
        subject::report("took", now() - begun);
        subject::report("hooks", GRACEFUL_HOOKS_V1.len() as u64 - 1); // without the sentinel
        return Ok(());
    }
    let mut times = Samples::default();
    for _ in 0..ROUNDS {
        let mut subject = Subject::start(&mut subject::itself(&["build"])?)?;
        times.add(subject.wait_for("took")? as f64 / 1e6);
        if subject.wait_for("hooks")? != 10_000 {
            return Err("the linker dropped hooks".into());
        }
    }
    println!("{}", times.line("10,000 hooks collected, sorted, grouped", "ms"));
    numbers::at_most("registry of 10,000 hooks, median, ms", times.median(), 2.0);
    Ok(())
}
