//! `cargo graceful explain`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    style::{BAD, GOOD, STRONG, paint},
};
use clap::builder::{PossibleValue, TypedValueParser};
use graceful_deploy::Rule;
use std::ffi::OsStr;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The id of a rule; without one, the rules are listed
    #[arg(value_parser = Id, hide_possible_values = true)]
    rule: Option<String>,
}

/// Any text. Completions offer the ids of the rules.
#[derive(Debug, Clone)]
struct Id;

impl TypedValueParser for Id {
    type Value = String;

    fn parse_ref(&self, _: &clap::Command, _: Option<&clap::Arg>, value: &OsStr) -> Result<Self::Value, clap::Error> {
        Ok(value.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(graceful_deploy::rules().map(|rule| PossibleValue::new(rule.id).help(rule.summary))))
    }
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
                let similar = graceful_deploy::similar_rule(id)
                    .map_or_else(String::new, |rule| format!(" did you mean `{}`?", rule.id));
                let message = format!("there is no rule `{id}`;{similar} `cargo graceful explain` lists the rules");
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
