//! Runs the rules of `graceful-deploy` over the files of the attribute (feature `manifest`).

use super::{
    deployment::{Deployment, File},
    model::Settings,
};
use crate::diagnostics::message;
use graceful_deploy::{Check, Dockerfile, Facts, Finding, Group, Manifest, Severity, Unreadable, decode};
use graceful_plan::Plan;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::{env, path::Path};

/// An error for each finding of severity error and each file that can't be read. Absent under `cfg(doc)`, so that
/// `cargo doc` needs no file.
pub(crate) fn errors(settings: &Settings) -> TokenStream {
    let deployment = &settings.deployment;
    if deployment.files().next().is_none() {
        return TokenStream::new();
    }
    let mut errors: Vec<syn::Error> = Vec::new();
    let manifests = deployment.manifests.iter().filter_map(|file| read(file, Manifest::parse, &mut errors));
    let manifests: Vec<Manifest> = manifests.collect();
    let dockerfile = deployment.dockerfile.as_ref().and_then(|file| read(file, Dockerfile::parse, &mut errors));
    // A file that is missing would be one more finding: a container that is not found.
    if deployment.files().all(File::is_present) && errors.is_empty() {
        let facts = facts(settings);
        let container = deployment.container.as_ref().map(syn::LitStr::value);
        let mut check = Check::new(&manifests).facts(&facts);
        if let Some(container) = &container {
            check = check.container(container);
        }
        if let Some(dockerfile) = &dockerfile {
            check = check.dockerfile(dockerfile);
        }
        // Const durations are known to the compiler alone: the generated test checks them.
        let is_known = settings.durations.first_counted_const().is_none();
        let relevant = |finding: &Finding| {
            finding.rule.severity == Severity::Error && (is_known || finding.rule.group != Group::Termination)
        };
        let findings = check.run();
        errors.extend(findings.iter().filter(|finding| relevant(finding)).map(|finding| error(deployment, finding)));
    }
    let errors = errors.iter().map(syn::Error::to_compile_error);
    quote!(#(#[cfg(not(doc))] #errors)*)
}

/// Parses a file. A file that a published package lacks is skipped: the package's own build has checked it.
fn read<T>(
    file: &File,
    parse: impl Fn(&str, &str) -> Result<T, Unreadable>,
    errors: &mut Vec<syn::Error>,
) -> Option<T> {
    let path = file.path.value();
    let content = match &file.content {
        Ok(content) => content,
        Err(_) if is_published() => return None,
        Err(error) => {
            let problem = format!("the file `{path}` can't be read: {error}");
            let fix = "write a path relative to the folder of the package's Cargo.toml";
            errors.push(syn::Error::new_spanned(&file.path, message(problem, fix)));
            return None;
        }
    };
    match decode(&path, content).and_then(|text| parse(&path, text)) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            let place = format!("{path}:{}:{}: {}", error.line(), error.column(), error.problem());
            errors.push(syn::Error::new_spanned(&file.path, message(place, error.fix())));
            None
        }
    }
}

/// Whether this is a package that `cargo package` made, which renames the original `Cargo.toml`.
fn is_published() -> bool {
    env::var_os("CARGO_MANIFEST_DIR").is_some_and(|package| Path::new(&package).join("Cargo.toml.orig").exists())
}

fn facts(settings: &Settings) -> Facts {
    let plan = settings.durations.literal_plan();
    let plan =
        Plan { health: settings.health.unwrap_or(plan.health), init: settings.init.unwrap_or(plan.init), ..plan };
    let mut facts = Facts::new(plan);
    facts.signals = settings.signals.iter().map(|signal| signal.word().to_owned()).collect();
    facts
}

/// The error of a finding, at the value of the key that names the file or the container.
fn error(deployment: &Deployment, finding: &Finding) -> syn::Error {
    let Finding { rule, file, line, column, quoted, problem, fix, .. } = finding;
    let text = message(format!("{file}:{line}:{column}: {problem} [{}]\n  {quoted}", rule.id), fix);
    let named = deployment.container.as_ref().filter(|_| rule.id == "container-not-found");
    let of_file = deployment.files().map(|known| &known.path).find(|path| path.value() == *file);
    match named.or(of_file) {
        Some(path) => syn::Error::new_spanned(path, text),
        None => syn::Error::new(Span::call_site(), text),
    }
}
