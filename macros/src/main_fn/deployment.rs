//! The keys `manifest`, `container` and `dockerfile`: the files that deploy the program.

use crate::{
    args::{Args, Given},
    diagnostics::Diagnostics,
    values::{self, Form, form, ungrouped},
};
use std::{env, fs, path::Path};
use syn::{Expr, LitStr};

const KEYS: [&str; 3] = ["manifest", "container", "dockerfile"];

/// The files that deploy the program, and its container.
#[derive(Default)]
pub(crate) struct Deployment {
    pub(crate) manifests: Vec<File>,
    pub(crate) container: Option<LitStr>,
    pub(crate) dockerfile: Option<File>,
}

/// A file of the attribute.
pub(crate) struct File {
    /// The path as written, relative to the package.
    pub(crate) path: LitStr,
    /// The content, or why it can't be read.
    pub(crate) content: Result<Vec<u8>, String>,
}

impl File {
    /// Whether the file exists and can be read, so that the expansion can include it.
    pub(crate) fn is_present(&self) -> bool {
        self.content.is_ok()
    }
}

impl Deployment {
    /// Parses the keys and reads the files. `enabled` says whether the feature `manifest` is on.
    pub(crate) fn new(args: &mut Args, enabled: bool, errors: &mut Diagnostics) -> Self {
        let [manifest, container, dockerfile] = KEYS.map(|key| args.value(key));
        if !enabled {
            for given in [manifest, container, dockerfile].into_iter().flatten() {
                errors.on(
                    given.name,
                    format!("`{}` needs the feature `manifest` of graceful-rt", given.key.name),
                    "write `features = [\"manifest\"]` at the dependency graceful-rt in Cargo.toml",
                );
            }
            return Self::default();
        }
        if let Some(container) = container.as_ref().filter(|_| manifest.is_none() && !args.is_broken("manifest")) {
            errors.on(
                &container.name,
                "`container` has no effect without `manifest`, in which it names the program's container",
                "add `manifest = \"deploy/app.yaml\"`, or remove `container`",
            );
        }
        Self {
            manifests: manifest.map(|given| files(&given, errors)).unwrap_or_default(),
            container: container.and_then(|given| text(&given, &given.value, errors)),
            dockerfile: dockerfile.and_then(|given| file(&given, &given.value, errors)),
        }
    }

    /// The manifests, then the Dockerfile.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.manifests.iter().chain(&self.dockerfile)
    }
}

/// One path, or a list of paths in brackets.
fn files(given: &Given<Expr>, errors: &mut Diagnostics) -> Vec<File> {
    let Expr::Array(array) = ungrouped(&given.value) else {
        return file(given, &given.value, errors).into_iter().collect();
    };
    if array.elems.is_empty() {
        let fix = format!("write `{}`, or omit `manifest`", given.key.example);
        errors.on(array, "`manifest` names no file", fix);
    }
    array.elems.iter().filter_map(|element| file(given, element, errors)).collect()
}

fn text(given: &Given<Expr>, value: &Expr, errors: &mut Diagnostics) -> Option<LitStr> {
    let fix = format!("write `{}`", given.key.example);
    match form(value) {
        Form::Text(text) if text.value().trim().is_empty() => {
            errors.on(text, format!("`{}` is empty", given.key.name), fix);
            None
        }
        Form::Text(text) => Some(LitStr::new(&text.value(), text.span())),
        Form::Literal(found) => {
            values::wrong_type(value, given.key, "a string", found, fix, errors);
            None
        }
        Form::Expression => {
            values::wrong_type(value, given.key, "a string literal", "an expression", fix, errors);
            None
        }
    }
}

fn file(given: &Given<Expr>, value: &Expr, errors: &mut Diagnostics) -> Option<File> {
    let path = text(given, value, errors)?;
    let written = path.value();
    if Path::new(&written).has_root() {
        errors.on(
            &path,
            format!("`{}` takes a path relative to the package, and this path is absolute", given.key.name),
            format!("write `{}`", given.key.example),
        );
        return None;
    }
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let content = fs::read(Path::new(&package).join(&written)).map_err(|error| error.to_string());
    Some(File { path, content })
}
