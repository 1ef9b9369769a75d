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
