//! `cargo graceful completions` and `cargo graceful man`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
};
use clap::Command;
use clap_complete::{Shell, generate};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of a shell.
pub(crate) fn completions(options: &Options, mut command: Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    generate(options.shell, &mut command, "cargo-graceful", &mut script);
    console::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Passed)
}

/// Prints the man page: the command, and each of its subcommands.
pub(crate) fn man(command: &Command) -> Result<ExitCode, Failure> {
    let failed = |error| Failure::new(ExitCode::Io, format!("cannot write the man page: {error}"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failed)?;
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_arguments().next().is_some()) {
        let name = subcommand.get_name().to_uppercase();
        page.extend(format!(".SH {name}\n").into_bytes());
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_description_section(&mut page).map_err(failed)?;
        man.render_options_section(&mut page).map_err(failed)?;
    }
    console::print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::Passed)
}
