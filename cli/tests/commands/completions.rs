//! The completions, in each shell that is installed.

use crate::harness::run;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The output of a shell; `None` if it is not installed.
fn output(shell: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let mut command = Command::new(shell);
    command.args(arguments).current_dir(folder).env("TERM", "xterm").env("HOME", folder).stdin(Stdio::null());
    let Ok(output) = command.output() else {
        println!("skipped: {shell} is not installed");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A folder with these files, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(shell: &str, files: &[(&str, &str)]) -> Self {
        let folder = env::temp_dir().join(format!("cargo-graceful-{shell}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn bash_completes_cargo_graceful_and_leaves_the_rest_to_cargo() {
    let script = run(&["completions", "bash"]).stdout;
    let lines = r#"
        _cargo() { COMPREPLY=("cargo's own: $2"); }
        complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            "$(complete -p "$1" | grep -o '_cargo[a-z_]*')" "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"; echo "${COMPREPLY[*]}"; }
        complete_line cargo graceful rehe
        complete_line cargo graceful plan --form
        complete_line cargo graceful plan --format ""
        complete_line cargo bui
        complete_line cargo-graceful rehe
    "#;
    let folder = Folder::new("bash", &[]);
    let completed = output("bash", &["--norc", "-c", &(script + lines)], &folder.0).unwrap();
    let expected = ["rehearse", "--format", "text json svg", "cargo's own: bui", "rehearse"];
    assert_eq!(completed.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn fish_completes_cargo_graceful() {
    let folder = Folder::new("fish", &[("graceful.fish", &run(&["completions", "fish"]).stdout)]);
    let script = "source graceful.fish
        for line in 'cargo graceful rehe' 'cargo-graceful rehe' 'cargo graceful plan --format '
            complete -C $line
        end";
    let Some(completed) = output("fish", &["--no-config", "-c", script], &folder.0) else { return };
    // A description follows a tab.
    let mut completed: Vec<_> = completed.lines().filter_map(|line| line.split('\t').next()).collect();
    completed[2..].sort_unstable();
    assert_eq!(completed, ["rehearse", "rehearse", "json", "svg", "text"]);
}

/// Types each line, a tab, and a key that prints the line, in a terminal.
const ZSH: &str = r#"
    zmodload zsh/zpty
    zpty z "zsh -f -i"
    zpty -w z "PROMPT=; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -D
        shown() { print -r -- \"[[\$BUFFER]]\"; BUFFER= }; zle -N shown; bindkey '^T' shown
        bindkey '^I' complete-word; print REA''DY"
    zpty -r z out '*READY*'
    for line in "$@"; do
        zpty -w -n z "$line"$'\t'$'\x14'
        zpty -r z out '*\]\]*'
        print -r -- "${${out##*\[\[}%%\]\]*}"
    done
    zpty -d z
"#;

#[test]
fn zsh_completes_cargo_graceful_beside_the_completions_of_cargo() {
    let folder = Folder::new("zsh", &[("_cargo-graceful", &run(&["completions", "zsh"]).stdout)]);
    let mut lines = vec![("cargo-graceful rehe", "cargo-graceful rehearse ")];
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap().stdout;
    let of_cargo = Path::new(String::from_utf8(sysroot).unwrap().trim()).join("share/zsh/site-functions/_cargo");
    match fs::copy(&of_cargo, folder.0.join("_cargo")) {
        Ok(_) => lines.extend([
            ("cargo graceful rehe", "cargo graceful rehearse "),
            ("cargo graceful plan --form", "cargo graceful plan --format="),
        ]),
        Err(error) => println!("skipped: {}: {error}", of_cargo.display()),
    }
    let typed = lines.iter().map(|(line, _)| *line);
    let arguments: Vec<_> = ["-f", "-c", ZSH, "zsh"].into_iter().chain(typed).collect();
    let Some(completed) = output("zsh", &arguments, &folder.0) else { return };
    assert_eq!(completed.lines().collect::<Vec<_>>(), lines.iter().map(|(_, line)| *line).collect::<Vec<_>>());
}
