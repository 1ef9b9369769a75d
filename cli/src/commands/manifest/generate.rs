//! Prints or writes the manifest and the Dockerfile of a program.

use super::options::{Options, name};
use crate::{
    check::facts,
    commands::plan,
    console,
    exit_code::{ExitCode, Failure},
    manifest::{Template, dockerfile},
    process::metadata,
};
use serde_json::Value;
use std::{collections::BTreeSet, fs, io::Write, path::Path};

/// Prints the manifest or the Dockerfile, or writes both.
pub(super) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let executable = options.target.executable().await?;
    let printed = plan::of_executable(executable.clone(), options.timeout).await?;
    let facts = facts::of(&printed).map_err(plan::incomplete)?;
    let executable = Path::new(&executable).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let refused = |problem| Failure::new(ExitCode::Plan, problem);
    let name = options.name.clone().map_or_else(|| named_after(&executable), Ok);
    let name = name.map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let image = options.image.clone().unwrap_or_else(|| format!("registry.example/{name}:1"));
    let template = Template {
        facts: &facts,
        kind: options.kind,
        name: &name,
        image: &image,
        port: options.port,
        replicas: options.replicas,
    };
    let dockerfile = || dockerfile(&facts, &executable, &options.target.build_options(&executable)).map_err(refused);
    if options.target.is_built() && (options.write.is_some() || options.dockerfile.is_some()) {
        note_of_outside(&metadata().await?);
    }
    match &options.write {
        Some(folder) => {
            let files = [(format!("{name}.yaml"), template.manifest()?), ("Dockerfile".to_owned(), dockerfile()?)];
            write(folder, &files, options.force)?;
        }
        None if options.dockerfile.is_some() => console::print(&dockerfile()?)?,
        None => console::print(&template.manifest()?)?,
    }
    Ok(ExitCode::Passed)
}

/// Names the dependencies that the build in the image does not find, because it copies the workspace alone.
fn note_of_outside(metadata: &Value) {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let dependencies = packages.flat_map(|package| package["dependencies"].as_array().into_iter().flatten());
    let paths = dependencies.filter_map(|dependency| dependency["path"].as_str());
    let outside: BTreeSet<_> = paths.filter(|path| !Path::new(path).starts_with(root)).collect();
    if !outside.is_empty() {
        let outside: Vec<_> = outside.into_iter().collect();
        console::progress(&format!(
            "note: the Dockerfile copies {root}, and these dependencies stand outside of it: {}; move them into it, or depend \
             on them by git or a registry\n",
            outside.join(", ")
        ));
    }
}

/// Writes the files; none if one of them exists.
fn write(folder: &Path, files: &[(String, String)], force: bool) -> Result<(), Failure> {
    let failed = |path: &Path, error| Failure::new(ExitCode::Io, format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let exists = files.iter().map(|(name, _)| folder.join(name)).find(|path| path.symlink_metadata().is_ok());
    if let Some(path) = exists.filter(|_| !force) {
        let message = format!("{} exists; --force replaces it, and --fix changes a manifest in place", path.display());
        return Err(Failure::new(ExitCode::Io, message));
    }
    for (name, text) in files {
        let path = folder.join(name);
        let mut open = fs::OpenOptions::new();
        let open = if force { open.write(true).create(true).truncate(true) } else { open.write(true).create_new(true) };
        open.open(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, error))?;
        console::print(&format!("wrote {}\n", path.display()))?;
    }
    Ok(())
}

/// A name for objects of Kubernetes from that of an executable.
fn named_after(executable: &str) -> Result<String, String> {
    let stem = executable.strip_suffix(".exe").unwrap_or(executable).to_ascii_lowercase();
    name(stem.replace(['_', '.', ' '], "-").trim_matches('-'))
        .map_err(|error| format!("the executable's name is no name of an object: {error}; write --name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_gives_the_name() {
        assert_eq!(named_after("Shop_API.v2").unwrap(), "shop-api-v2");
        assert_eq!(named_after("_a").unwrap(), "a");
        assert!(named_after("2fast").unwrap_err().ends_with("write --name"));
    }
}
