//! The exit code of a report.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | everything finished in time |
//! | 1 | `main` returned an error |
//! | 3 | something was cut short, or a hook failed, panicked or timed out |
//! | 70 | a fault in this crate itself |
//! | 78 | refused to start: the configuration is wrong, the health address is taken, or a check's state is missing |
//! | 101 | `main` panicked |
//! | 128 + n | forced by signal n: the third SIGINT gives 130 |
//!
//! A non-zero `ExitCode` that `main` returns is the exit code. The result of `main` takes precedence over cuts.

use crate::{
    cause::Cause,
    report::{outcome::MainResult, summary::Report},
};

/// Something was cut short, or a hook failed.
pub(crate) const CUT: u8 = 3;
/// A fault in this crate itself.
pub(crate) const INTERNAL: u8 = 70;
/// Refused to start.
pub(crate) const CONFIG: u8 = 78;

impl Report {
    /// The exit code of this run; the table is in the documentation of the crate.
    ///
    /// ```
    /// assert_eq!(graceful::Report::default().exit_code(), 0);
    /// ```
    pub fn exit_code(&self) -> u8 {
        if let Some(signal) = self.forced_by {
            return 128 + signal.number();
        }
        match self.main() {
            Some(MainResult::Panicked(_)) => 101,
            Some(MainResult::Failed(_)) => 1,
            Some(MainResult::Returned(code)) if *code != 0 => *code,
            _ if matches!(self.cause, Some(Cause::Refused(_))) => CONFIG,
            _ if self.problems().next().is_some() => CUT,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cause::Signal,
        report::timeline::{Entry, Level, What},
    };
    use std::time::Duration;

    fn with(main: Option<MainResult>, problem: bool, forced_by: Option<Signal>) -> u8 {
        let entry = |level, what| Entry { at: Duration::ZERO, level, what };
        let mut report = Report { forced_by, ..Report::default() };
        report.entries.extend(main.map(|main| entry(Level::Info, What::Main(main))));
        report.entries.extend(problem.then(|| entry(Level::Error, What::Cut("a task".into(), 1))));
        report.exit_code()
    }

    #[test]
    fn every_row_of_the_table() {
        use MainResult::*;
        assert_eq!(with(Some(Returned(0)), false, None), 0);
        assert_eq!(with(None, false, None), 0);
        assert_eq!(with(Some(Failed("e".into())), true, None), 1);
        assert_eq!(with(Some(Returned(0)), true, None), 3);
        assert_eq!(with(Some(Cut), true, None), 3);
        assert_eq!(with(Some(Returned(9)), true, None), 9);
        assert_eq!(with(Some(Panicked("p".into())), true, None), 101);
        assert_eq!(with(Some(Returned(0)), true, Some(Signal::Interrupt)), 130);
    }
}
