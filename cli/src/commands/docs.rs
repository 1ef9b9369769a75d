//! `cargo graceful completions` and `cargo graceful man`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
};
use clap::Command;
use clap_complete::{Shell, generate};
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use std::io;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// `cargo graceful` in bash: cargo's completions have no hook for other commands, so this function stands before them.
const BASH: &str = r#"
_cargo_graceful_of_cargo() {
    if [[ "${COMP_WORDS[1]}" == graceful && "${COMP_CWORD}" -gt 1 ]]; then
        local prev="$3"
        if [[ "${COMP_CWORD}" -eq 2 ]]; then prev=cargo-graceful; fi
        COMP_WORDS=(cargo-graceful "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _cargo_graceful cargo-graceful "$2" "${prev}"
        return
    fi
    if ! declare -F _cargo > /dev/null && declare -F _completion_loader > /dev/null; then
        _completion_loader cargo
        complete -F _cargo_graceful_of_cargo -o bashdefault -o default cargo
    fi
    if declare -F _cargo > /dev/null; then _cargo "$@"; fi
}
complete -F _cargo_graceful_of_cargo -o bashdefault -o default cargo
"#;

/// `cargo graceful` in fish: the line is completed as that of `cargo-graceful`.
const FISH: &str = r#"
function __fish_cargo_graceful_of_cargo
    set -l words (commandline -opc)
    test (count $words) -ge 2 -a "$words[2]" = graceful
end
complete -c cargo -f -n __fish_cargo_graceful_of_cargo -a "(complete -C (string replace -r '^\s*cargo\s+graceful' cargo-graceful -- (commandline -cp | string collect)))"
"#;

/// Prints the completions of a shell. In zsh, cargo's completions call the function `_cargo-graceful` by themselves.
pub(crate) fn completions(options: &Options, mut command: Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    // The subcommands of a name with a hyphen do not complete in bash (clap_complete 4.6).
    let name = if options.shell == Shell::Bash { "cargo_graceful" } else { "cargo-graceful" };
    generate(options.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).replace(" cargo_graceful\n", " cargo-graceful\n");
    let of_cargo = match options.shell {
        Shell::Bash => BASH,
        Shell::Fish => FISH,
        _ => "",
    };
    console::print(&format!("{script}{of_cargo}"))?;
    Ok(ExitCode::Passed)
}

/// Prints the man page: the command, each of its subcommands, and the exit codes.
pub(crate) fn man(command: &Command) -> Result<ExitCode, Failure> {
    console::print(
        &page(command).map_err(|error| Failure::new(ExitCode::Io, format!("cannot write the man page: {error}")))?,
    )?;
    Ok(ExitCode::Passed)
}

fn page(command: &Command) -> io::Result<String> {
    // The exit codes have a section of their own.
    let man = Man::new(command.clone().after_help("").name("cargo-graceful"));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    Roff::new().control("SH", ["COMMANDS"]).to_writer(&mut page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let named = subcommand.clone().disable_help_flag(true).bin_name(subcommand.get_name());
        let usage = named.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").split_whitespace().collect::<Vec<_>>().join(" ");
        let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
        Roff::new().control("SS", [usage.as_str()]).text([roman(about)]).to_writer(&mut page)?;
        let has_options = subcommand.get_arguments().next().is_some();
        let mut options = Vec::new();
        if has_options {
            Man::new(named).render_options_section(&mut options)?;
        }
        // Below the heading of the subcommand, the options need none, and groups of options no section.
        let options = String::from_utf8_lossy(&options).replacen(".SH OPTIONS\n", "", 1).replace(".SH ", ".PP\n.B ");
        page.extend(options.into_bytes());
    }
    let mut codes = Roff::new();
    codes.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in ExitCode::TABLE {
        codes.control("TP", ["5"]).text([bold((code as u8).to_string())]).text([roman(meaning)]);
    }
    codes.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
