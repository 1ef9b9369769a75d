//! What a rehearsal reports while it runs: a live line in a terminal, plain lines elsewhere. Both go to standard error;
//! --quiet turns both off.

use crate::console;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

/// The progress of a rehearsal. Dropping it removes the live line.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    live: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let live = (std::io::stderr().is_terminal() && !console::is_quiet()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(indicatif::ProgressStyle::default_spinner());
            bar
        });
        Self { start: Instant::now(), live }
    }

    /// Prints a line that stays.
    pub(crate) fn line(&self, text: &str) {
        if console::is_quiet() {
            return;
        }
        let line = format!("{:>8.3}s | {text}", self.start.elapsed().as_secs_f64());
        match &self.live {
            Some(bar) => bar.println(line),
            None => {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    }

    /// Changes the live line.
    pub(crate) fn live(&self, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.live {
            bar.set_message(text());
            bar.tick();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.live {
            bar.finish_and_clear();
        }
    }
}
