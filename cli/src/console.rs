//! Standard output and standard error: colour, and whether progress is shown.

use crate::exit_code::{ExitCode, Failure};
use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Set once, from the command line.
static QUIET: AtomicBool = AtomicBool::new(false);

/// When text is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// In a terminal. NO_COLOR and CLICOLOR=0 turn colours off, CLICOLOR_FORCE turns them on
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// The choice of these arguments. Help and the errors of arguments are printed before arguments are parsed.
    pub(crate) fn of_arguments(arguments: &[std::ffi::OsString]) -> Self {
        let words: Vec<_> = arguments.iter().map_while(|word| word.to_str()).take_while(|word| *word != "--").collect();
        let value = words.iter().enumerate().rev().find_map(|(at, word)| match word.strip_prefix("--color") {
            Some("") => words.get(at + 1).copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        });
        value.and_then(|value| clap::ValueEnum::from_str(value, false).ok()).unwrap_or_default()
    }

    /// Makes this the choice for all output.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }

    /// The same for help and the errors of arguments.
    pub(crate) fn of_help(self) -> clap::ColorChoice {
        match self {
            Self::Auto => clap::ColorChoice::Auto,
            Self::Always => clap::ColorChoice::Always,
            Self::Never => clap::ColorChoice::Never,
        }
    }
}

/// Turns progress on standard error off.
pub(crate) fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether progress on standard error is off.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes the text to standard output as it is. A reader that has closed the pipe is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    write(io::stdout().lock(), text)
}

/// Writes text with styles to standard output, which removes them where it is not coloured.
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    write(anstream::stdout().lock(), text)
}

/// Writes what a program printed to standard error, without control characters.
pub(crate) fn forward(text: &str) {
    let shown: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    if !shown.is_empty() {
        let _ = writeln!(io::stderr().lock(), "{}", shown.trim_end());
    }
}

/// Writes to standard error; one that is closed is no reason to stop.
pub(crate) fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// The same unless `--quiet` is given.
pub(crate) fn progress(text: &str) {
    if !is_quiet() {
        say(text);
    }
}

fn write(mut out: impl Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_read_from_the_arguments_before_the_command_of_the_user() {
        let of = |words: &str| Color::of_arguments(&words.split(' ').map(Into::into).collect::<Vec<_>>());
        assert_eq!(of("cargo-graceful plan --color never"), Color::Never);
        assert_eq!(of("cargo-graceful --color=always plan --color=never --color=always"), Color::Always);
        assert_eq!(of("cargo-graceful rehearse -- ls --color=always"), Color::Auto);
        assert_eq!(of("cargo-graceful --color"), Color::Auto);
        assert_eq!(of("cargo-graceful --color blue"), Color::Auto);
    }
}
