//! The options of `manifest`.

use crate::{
    exit_code::{ExitCode, Failure},
    manifest::Kind,
    process::Target,
};
use std::{path::PathBuf, time::Duration};

/// A label of a StatefulSet's pods has the name and 11 more characters, and a label has at most 63.
const LONGEST_NAME: usize = 52;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) target: Target,
    /// The kind of the workload
    #[arg(long, value_enum, default_value = "deployment", conflicts_with = "fix")]
    pub(super) kind: Kind,
    /// The port of the traffic
    #[arg(long, default_value = "3000", conflicts_with = "fix", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: u16,
    /// The name of all objects and of the container [default: the executable's]
    #[arg(long, conflicts_with = "fix", value_parser = name)]
    pub(super) name: Option<String>,
    /// The image [default: a placeholder]
    #[arg(long, conflicts_with = "fix", value_parser = image)]
    pub(super) image: Option<String>,
    /// The number of pods
    #[arg(long, value_name = "NUMBER", default_value = "2", conflicts_with = "fix", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) replicas: u32,
    /// Print the Dockerfile instead; with --fix, fix the image's Dockerfile FILE as well
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(super) dockerfile: Option<Option<PathBuf>>,
    /// Write NAME.yaml and Dockerfile to this folder instead of standard output
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["fix", "dockerfile"])]
    pub(super) write: Option<PathBuf>,
    /// With --write: replace files that exist
    #[arg(long, requires = "write")]
    pub(super) force: bool,
    /// Change these manifests in place, where a rule has a mechanical fix; shows the diff first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) fix: Vec<PathBuf>,
    /// With --fix: the name of the program's container
    #[arg(long, value_name = "NAME", requires = "fix")]
    pub(super) container: Option<String>,
    /// With --fix: write without a question
    #[arg(short, long, requires = "fix")]
    pub(super) yes: bool,
    /// How long the program may take to print its plan
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = graceful_plan::duration::parse)]
    pub(super) timeout: Duration,
}

impl Options {
    /// Refuses options that do not belong together.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let message = match (&self.dockerfile, self.fix.is_empty()) {
            (Some(Some(file)), true) => {
                format!("--dockerfile {} needs --fix; without a file, --dockerfile prints a Dockerfile", file.display())
            }
            (Some(None), false) => "with --fix, --dockerfile takes a file".to_owned(),
            _ => return Ok(()),
        };
        Err(Failure::new(ExitCode::Usage, message))
    }
}

/// The name of a Service, which is the strictest one.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-');
    if is_name && text.chars().all(is_allowed) && text.len() <= LONGEST_NAME {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` must have at most {LONGEST_NAME} lower-case letters, digits and `-`, and begin with a letter"
        ))
    }
}

/// A reference to an image.
pub(super) fn image(text: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_allowed) && !text.ends_with(':') {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no reference to an image, such as registry.example/shop/api:1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_images_are_those_of_kubernetes() {
        assert!(name("a").is_ok() && name("shop-2").is_ok());
        for text in ["", "a-", "2a", "A", "a_b", &"a".repeat(53)] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(image("a").is_ok() && image("registry:5000/a/b@sha256:00").is_ok());
        for text in ["", "a b", ":1", "a:", "a\nb"] {
            assert!(image(text).is_err(), "{text}");
        }
    }
}
