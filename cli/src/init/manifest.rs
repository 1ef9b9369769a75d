//! Adds the library to a Cargo.toml.

use super::package::LIBRARY;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

/// Where the library comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A registry: the version of this command.
    Registry,
    /// A folder that the user names, as it is written in the manifest.
    Folder(String),
    /// The folder that this command was built from, in the same way.
    Source(String),
    /// `[workspace.dependencies]` under the name `graceful`.
    Workspace,
}

impl Origin {
    /// What a user must know about the dependency.
    pub(crate) fn note(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self {
            Self::Registry => format!(
                "; version {version} of crates.io: if cargo does not find it there, name the folder of its source with \
                 `--path FOLDER`"
            ),
            Self::Source(_) => format!(
                "; it stands in the folder that this command was built from: `--path FOLDER` names another one, \
                 `--registry` takes version {version} of crates.io"
            ),
            Self::Folder(_) | Self::Workspace => String::new(),
        }
    }
}

/// Whether `[workspace.dependencies]` of this manifest has the library under the name `graceful`.
pub(crate) fn is_in_workspace(text: &str) -> bool {
    let Ok(document) = text.parse::<DocumentMut>() else { return false };
    let dependencies = document.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let entry = dependencies.and_then(|dependencies| dependencies.get("graceful"));
    entry.and_then(|entry| entry.get("package")).and_then(Item::as_str) == Some(LIBRARY)
}

/// The manifest with the library as a dependency, and these features of it. The same text if nothing is missing.
///
/// # Errors
/// The manifest is not TOML, or its dependency on the library has a form that is not known.
pub(crate) fn with_library(text: &str, features: &[&str], origin: &Origin) -> Result<String, String> {
    let (body, bom) = text.strip_prefix('\u{feff}').map_or((text, ""), |body| (body, "\u{feff}"));
    let mut document: DocumentMut = body.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let dependencies = document.entry("dependencies").or_insert_with(toml_edit::table);
    let dependencies = dependencies.as_table_like_mut().ok_or("`dependencies` is not a table")?;
    let name = dependencies.iter().find(|(name, entry)| is_library(name, entry)).map(|(name, _)| name.to_owned());
    match name.and_then(|name| dependencies.get_mut(&name)) {
        Some(entry) => add_features(entry, features)?,
        None => insert(dependencies, features, origin),
    }
    let result = document.to_string();
    let result = if body.contains("\r\n") { result.replace("\r\n", "\n").replace('\n', "\r\n") } else { result };
    Ok(format!("{bom}{result}"))
}

fn is_library(name: &str, entry: &Item) -> bool {
    // An inherited dependency has its package in the workspace.
    let is_inherited = name == "graceful" && entry.get("workspace").is_some();
    name == LIBRARY || is_inherited || entry.get("package").and_then(Item::as_str) == Some(LIBRARY)
}

fn insert(dependencies: &mut dyn TableLike, features: &[&str], origin: &Origin) {
    let mut entry = InlineTable::new();
    match origin {
        Origin::Workspace => drop(entry.insert("workspace", true.into())),
        Origin::Registry => {
            entry.insert("package", LIBRARY.into());
            entry.insert("version", env!("CARGO_PKG_VERSION").into());
        }
        Origin::Folder(folder) | Origin::Source(folder) => {
            entry.insert("package", LIBRARY.into());
            entry.insert("path", folder.as_str().into());
        }
    }
    if !features.is_empty() {
        entry.insert("features", Value::Array(features.iter().copied().collect()));
    }
    let is_sorted = dependencies.iter().map(|(name, _)| name).is_sorted();
    dependencies.insert("graceful", Item::Value(entry.into()));
    if is_sorted {
        dependencies.sort_values();
    }
}

fn add_features(entry: &mut Item, features: &[&str]) -> Result<(), String> {
    if features.is_empty() {
        return Ok(());
    }
    if let Some(version) = entry.as_str().map(str::to_owned) {
        let mut table = InlineTable::new();
        table.insert("version", version.into());
        *entry = Item::Value(table.into());
    }
    let table = entry.as_table_like_mut().ok_or("the dependency on the library is not a table")?;
    let list = table.entry("features").or_insert_with(|| Item::Value(Array::new().into()));
    let list = list.as_array_mut().ok_or("`features` is not a list")?;
    for feature in features {
        if !list.iter().any(|given| given.as_str() == Some(feature)) {
            list.push(*feature);
        }
    }
    if let Some(table) = entry.as_inline_table_mut() {
        table.fmt(); // a key behind the last one is separated like the others
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_added_in_order_with_comments_and_line_endings_kept() {
        let before = "[package]\nname = \"a\" # this\n\n[dependencies]\naxum = \"0.8\" # http\ntokio = \"1\"\n\n[profile.release]\n";
        let line = format!(
            "graceful = {{ package = \"graceful-rt\", version = \"{}\", features = [\"axum\"] }}\n",
            env!("CARGO_PKG_VERSION")
        );
        let after = before.replace("tokio", &format!("{line}tokio"));
        assert_eq!(with_library(before, &["axum"], &Origin::Registry).unwrap(), after);
        let crlf = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(with_library(&crlf(before), &["axum"], &Origin::Registry).unwrap(), crlf(&after));
        assert_eq!(with_library(&after, &["axum"], &Origin::Registry).unwrap(), after);
        let unsorted = with_library("[dependencies]\nz = \"1\"\na = \"1\"\n", &[], &Origin::Folder("../g".to_owned()));
        let expected =
            "[dependencies]\nz = \"1\"\na = \"1\"\ngraceful = { package = \"graceful-rt\", path = \"../g\" }\n";
        assert_eq!(unsorted.unwrap(), expected);
        let inherited = with_library("[package]\n", &["tonic"], &Origin::Workspace).unwrap();
        assert_eq!(inherited, "[package]\n\n[dependencies]\ngraceful = { workspace = true, features = [\"tonic\"] }\n");
    }

    #[test]
    fn missing_features_are_added_to_each_form_of_the_dependency() {
        for (before, after) in [
            ("graceful-rt = \"0.1\"\n", "graceful-rt = { version = \"0.1\", features = [\"axum\"] }\n"),
            (
                "graceful = { package = \"graceful-rt\", path = \"x\", features = [\"tower\"] }\n",
                "graceful = { package = \"graceful-rt\", path = \"x\", features = [\"tower\", \"axum\"] }\n",
            ),
            ("graceful.workspace = true\n", "graceful.workspace = true\ngraceful.features = [\"axum\"]\n"),
        ] {
            let [before, after] = [before, after].map(|line| format!("[dependencies]\n{line}"));
            assert_eq!(with_library(&before, &["axum"], &Origin::Registry).unwrap(), after);
        }
        assert!(with_library("a = ", &[], &Origin::Registry).is_err());
        assert!(with_library("dependencies = 1\n", &[], &Origin::Registry).is_err());
        let workspace = "[workspace.dependencies]\ngraceful = { package = \"graceful-rt\", path = \"r\" }\n";
        assert!(is_in_workspace(workspace) && !is_in_workspace("[workspace]\n"));
    }
}
