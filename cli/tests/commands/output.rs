//! `--color`, `--quiet`, and the man page.

use crate::harness::{Run, build, command, finish, free_port, misbehaving, run};
use std::{io::Write, process::Stdio};

const MANIFEST: &str = "kind: Pod\nspec: {shareProcessNamespace: true, containers: [{name: web}]}\n";

/// Runs `check` on a manifest, with these variables alone deciding about colours.
fn check(options: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = command(&[&["check", "-"], options].concat());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let mut child = command.envs(variables.iter().copied()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(MANIFEST.as_bytes()).unwrap();
    finish(child)
}

fn is_colored(text: &str) -> bool {
    text.contains('\u{1b}')
}

#[test]
fn colours_follow_the_option_and_without_it_the_environment() {
    for (options, variables, expected) in [
        (&[][..], &[][..], false), // standard output is no terminal
        (&["--color", "always"], &[], true),
        (&["--color=always"], &[("NO_COLOR", "1")], true),
        (&["--color=never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color=always", "--format", "json"], &[], false),
    ] {
        let run = check(options, variables);
        assert!(run.stdout.contains("shareProcessNamespace"), "{run:?}");
        assert_eq!(is_colored(&run.stdout), expected, "{options:?} {variables:?}: {run:?}");
    }
}

#[test]
fn help_and_errors_are_coloured_alike() {
    for (color, expected) in [("always", true), ("never", false)] {
        let color = format!("--color={color}");
        assert_eq!(is_colored(&run(&[&color, "--help"]).stdout), expected);
        assert_eq!(is_colored(&run(&["plan", "--no-such-option", &color]).stderr), expected);
        assert_eq!(is_colored(&run(&["explain", "no-such-rule", &color]).stderr), expected);
    }
    let wrong = run(&["plan", "--color", "blue"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("auto, always, never"), "{wrong:?}");
}

#[test]
fn a_quiet_command_prints_its_result_alone() {
    let port = free_port().to_string();
    let url = format!("http://127.0.0.1:{port}/");
    let program = misbehaving().to_str().unwrap();
    let short = ["--duration", "600ms", "--propagation", "200ms", "--rate", "50"];
    let load = [&["--quiet", "rehearse", "--url", &url][..], &short, &["--", program, "exits-with-5", &port]].concat();
    let rehearsal = run(&load);
    assert_eq!((rehearsal.code, rehearsal.stderr.as_str()), (Some(1), ""), "{rehearsal:?}");
    assert!(rehearsal.stdout.contains("exit code 5"), "{rehearsal:?}");

    // Built first, because a cold build takes longer than the limit of a run.
    build(&["-p", "graceful-examples", "--bin", "hooks"], "hooks");
    let plan = run(&["plan", "-q", "-p", "graceful-examples", "--bin", "hooks"]);
    assert_eq!((plan.code, plan.stderr.as_str()), (Some(0), ""), "{plan:?}");

    let error = run(&["-q", "explain", "no-such-rule"]);
    assert!(error.error().contains("lists the rules"), "{error:?}");
}

#[test]
fn the_man_page_has_each_command_once_and_the_exit_codes() {
    let page = run(&["man"]).stdout;
    let of = |heading: &str| page.lines().filter_map(|line| line.strip_prefix(heading)).collect::<Vec<_>>();
    let sections = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "\"EXIT STATUS\"", "VERSION"];
    assert_eq!(of(".SH "), sections);
    let commands: Vec<_> = of(".SS ").iter().map(|usage| usage.trim_matches('"').split(' ').next().unwrap()).collect();
    let expected = ["plan", "check", "init", "manifest", "explain", "rehearse", "completions", "man"];
    assert_eq!(commands, expected);
    assert_eq!(page.matches("(1)").count(), 0, "a page that does not exist");
    assert!(page.contains("\\fB130\\fR\ninterrupted by Ctrl\\-C"), "{page}");
}
