//! `cargo graceful explain`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    style::{BAD, GOOD, STRONG, paint},
};
use graceful_deploy::Rule;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The id of a rule; without one, the rules are listed
    rule: Option<String>,
}

/// Explains a rule, or lists all of them.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let text = match &options.rule {
        None => {
            graceful_deploy::rules().map(|rule| format!("{:<7} {}\n", rule.severity.to_string(), rule.id)).collect()
        }
        Some(id) => match graceful_deploy::rule(id) {
            Some(rule) => explained(rule),
            None => {
                let message = format!("there is no rule `{id}`; `cargo graceful explain` lists the rules");
                return Err(Failure::new(ExitCode::Usage, message));
            }
        },
    };
    console::show(&text)?;
    Ok(ExitCode::Passed)
}

fn explained(rule: &Rule) -> String {
    let program = match rule.program {
        "" => String::new(),
        keys => format!("For a program with `#[graceful::main({keys})]`.\n\n"),
    };
    let (wrong, right) = (rule.wrong.trim_end(), rule.right.trim_end());
    let (title, marks) = (paint(STRONG, rule.id), [paint(BAD, "Wrong:"), paint(GOOD, "Right:")]);
    format!(
        "{title} ({})\n\n{}\n\n{}\n\n{program}{}\n\n{wrong}\n\n{}\n\n{right}\n",
        rule.severity, rule.summary, rule.why, marks[0], marks[1]
    )
}
