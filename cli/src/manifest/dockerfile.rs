//! The Dockerfile of a program.

use graceful_deploy::Facts;
use serde_json::json;

/// The Dockerfile of an executable. It is built in the image with these options of `cargo build`; with none, it is
/// copied as it is.
///
/// # Errors
/// No signal starts the shutdown of the program.
pub(crate) fn dockerfile(facts: &Facts, executable: &str, options: &[String]) -> Result<String, String> {
    let signal = match facts.signals.iter().find(|signal| *signal == "SIGTERM").or(facts.signals.first()) {
        // What a container is stopped with by default.
        Some(signal) if signal == "SIGTERM" => String::new(),
        Some(signal) => format!("# The program's `signals` lack SIGTERM.\nSTOPSIGNAL {signal}\n"),
        None => return Err("the program handles no signal; write `signals` in the program".to_owned()),
    };
    let (build, copy) = match options {
        [] => (
            "# The executable must be static, or built for Debian 12 (glibc 2.36).\n".to_owned(),
            format!("COPY {}", json!([executable, format!("/{executable}")])),
        ),
        options => {
            let folder = if options.iter().any(|option| option == "--example") { "examples/" } else { "" };
            (
                format!(
                    "# Build it in the folder with Cargo.lock: docker build --file THIS_FILE .\n\
                     # A .dockerignore with `target` and `.git` makes this faster.\n\
                     FROM rust:1-bookworm AS build\nWORKDIR /src\nCOPY . .\n\
                     RUN cargo build --release --locked --target-dir target {}\n\n",
                    options.iter().map(|option| quoted(option)).collect::<Vec<_>>().join(" ")
                ),
                format!("COPY --from=build /src/target/release/{folder}{executable} /{executable}"),
            )
        }
    };
    let entrypoint = json!([format!("/{executable}")]);
    Ok(format!(
        "{build}FROM gcr.io/distroless/cc-debian12:nonroot\n{copy}\n{signal}\
         # The exec form: a shell would be PID 1 and would not forward the signal.\nENTRYPOINT {entrypoint}\n"
    ))
}

/// The option as one word of a shell.
fn quoted(option: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/:=+@".contains(c);
    match option.chars().all(is_plain) {
        true => option.to_owned(),
        false => format!("'{}'", option.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graceful_plan::Plan;

    #[test]
    fn the_image_starts_the_executable_without_a_shell() {
        let facts = Facts::new(Plan::DEFAULT);
        let options = ["--package", "shop", "--example", "api"].map(str::to_owned);
        let text = dockerfile(&facts, "api", &options).unwrap();
        assert!(
            text.contains("\nRUN cargo build --release --locked --target-dir target --package shop --example api\n"),
            "{text}"
        );
        assert!(text.contains("\nCOPY --from=build /src/target/release/examples/api /api\n"), "{text}");
        assert!(text.ends_with("\nENTRYPOINT [\"/api\"]\n") && !text.contains("STOPSIGNAL"), "{text}");
        let text = dockerfile(&facts, "api", &["--features", "a b", "--bin", "api"].map(str::to_owned)).unwrap();
        assert!(text.contains(" --features 'a b' --bin api\n"), "{text}");
        let text = dockerfile(&facts, "my app", &[]).unwrap();
        assert!(text.contains("\nCOPY [\"my app\",\"/my app\"]\n"), "{text}");
    }

    #[test]
    fn the_image_is_stopped_with_a_signal_of_the_program() {
        let mut facts = Facts::new(Plan::DEFAULT);
        facts.signals = vec!["SIGQUIT".to_owned()];
        assert!(dockerfile(&facts, "api", &[]).unwrap().contains("\nSTOPSIGNAL SIGQUIT\n"));
        facts.signals.clear();
        assert!(dockerfile(&facts, "api", &[]).unwrap_err().contains("no signal"));
    }
}
