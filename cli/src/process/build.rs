//! Finds the executable of a package by building it.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    report::span,
};
use serde_json::Value;
use std::{env, ffi::OsString, path::PathBuf, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// The limit for a build.
const LIMIT: Duration = Duration::from_secs(3600);

/// What to build or to run.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Target {
    /// Build and use this binary of the package
    #[arg(long, value_name = "NAME", group = "target")]
    bin: Option<String>,
    /// Build and use this example of the package
    #[arg(long, value_name = "NAME", group = "target")]
    example: Option<String>,
    /// Use this executable; nothing is built
    #[arg(long, value_name = "PATH", group = "target")]
    exe: Option<PathBuf>,
    /// The package to build
    #[arg(short, long, value_name = "NAME", conflicts_with = "exe")]
    package: Option<String>,
    /// Features of the package, separated by commas
    #[arg(short = 'F', long, value_name = "FEATURES", conflicts_with = "exe")]
    features: Option<String>,
    /// Build with optimizations
    #[arg(short, long, conflicts_with = "exe")]
    release: bool,
}

impl Target {
    /// Whether a program is named.
    pub(crate) fn is_named(&self) -> bool {
        self.exe.is_some() || [&self.bin, &self.example, &self.package].iter().any(|name| name.is_some())
    }

    /// Whether cargo builds the program.
    pub(crate) fn is_built(&self) -> bool {
        self.exe.is_none()
    }

    /// The options of `cargo build` that choose this executable; none for `--exe`.
    pub(crate) fn build_options(&self, executable: &str) -> Vec<String> {
        let mut options = self.options();
        if self.exe.is_none() && self.bin.is_none() && self.example.is_none() {
            options.extend(["--bin", executable].map(str::to_owned));
        }
        options
    }

    /// The options as they are given.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = self.options();
        words.extend(self.exe.iter().flat_map(|path| ["--exe".to_owned(), path.display().to_string()]));
        words.extend(self.release.then(|| "--release".to_owned()));
        words
    }

    fn options(&self) -> Vec<String> {
        let options = [
            ("--package", &self.package),
            ("--features", &self.features),
            ("--bin", &self.bin),
            ("--example", &self.example),
        ];
        let given = options.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value.clone()?]));
        given.flatten().collect()
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["build".to_owned(), "--message-format=json-render-diagnostics".to_owned()];
        arguments.extend(self.options());
        if self.release {
            arguments.push("--release".to_owned());
        }
        if console::is_quiet() {
            arguments.push("--quiet".to_owned());
        }
        arguments
    }

    /// Builds the target and returns the path of its executable. cargo prints its progress and errors.
    ///
    /// # Errors
    /// The build fails, or does not have exactly one executable.
    pub(crate) async fn executable(&self) -> Result<OsString, Failure> {
        if let Some(path) = &self.exe {
            return Ok(path.clone().into_os_string());
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command.args(self.arguments()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let failed = |error: String| Failure::new(ExitCode::Build, error);
        let cannot_run = |error: std::io::Error| failed(format!("cannot run {}: {error}", cargo.display()));
        // `Command::output` would capture standard error, too.
        let output = timeout(LIMIT, command.spawn().map_err(cannot_run)?.wait_with_output())
            .await
            .map_err(|_| failed(format!("the build took longer than {}", span(LIMIT))))?
            .map_err(cannot_run)?;
        if !output.status.success() {
            return Err(failed(format!("cargo build failed ({})", output.status)));
        }
        choose(&executables(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// The executables that cargo's messages name, in order, with the names of their targets.
fn executables(messages: &str) -> Vec<(String, String)> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let path = message["executable"].as_str()?.to_owned();
            Some((message["target"]["name"].as_str()?.to_owned(), path))
        })
        .collect()
}

fn choose(executables: &[(String, String)]) -> Result<OsString, Failure> {
    match executables {
        [(_, path)] => Ok(path.into()),
        [] => {
            Err(Failure::new(ExitCode::Usage, "the build has no executable; name one with --bin, --example or --exe"))
        }
        several => {
            let names: Vec<_> = several.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("the build has several executables; choose one with --bin: {}", names.join(", "));
            Err(Failure::new(ExitCode::Usage, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_executable_is_chosen() {
        let line = |name: &str, path: &str| {
            format!(r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"executable":{path}}}"#)
        };
        let (library, app, tool) = (line("lib", "null"), line("app", "\"/t/app\""), line("tool", "\"/t/tool\""));
        let one = executables(&format!("warning: text\n{library}\n{app}\n"));
        assert_eq!(choose(&one).unwrap(), "/t/app");
        let two = choose(&executables(&format!("{app}\n{tool}"))).unwrap_err();
        assert!(two.message.ends_with("choose one with --bin: app, tool") && two.code == ExitCode::Usage);
        assert!(choose(&executables(&library)).unwrap_err().message.contains("no executable"));
    }
}
