//! The packages of a workspace, as `cargo metadata` prints them, and the choice of a binary.

use crate::exit_code::{ExitCode, Failure};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The package name of the library.
pub(crate) const LIBRARY: &str = "graceful-rt";

/// A package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest: PathBuf,
    pub(crate) workspace: PathBuf,
    /// The name and the root file of each binary.
    pub(crate) binaries: Vec<(String, PathBuf)>,
    pub(crate) has_library: bool,
    default_run: Option<String>,
    dependencies: Vec<Value>,
}

impl Package {
    /// All packages of the workspace.
    ///
    /// # Errors
    /// The name of what is missing.
    pub(crate) fn all(metadata: &Value) -> Result<Vec<Self>, String> {
        let workspace = text(&metadata["workspace_root"], "workspace_root")?;
        let packages = metadata["packages"].as_array().ok_or("`packages` is missing")?;
        packages.iter().map(|package| Self::parse(package, &workspace)).collect()
    }

    fn parse(package: &Value, workspace: &str) -> Result<Self, String> {
        let targets = package["targets"].as_array().ok_or("`targets` is missing")?;
        let is = |target: &Value, kinds: &[&str]| {
            target["kind"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|kind| kind.as_str().is_some_and(|kind| kinds.contains(&kind)))
        };
        let binaries = targets.iter().filter(|target| is(target, &["bin"])).map(|target| {
            Ok::<_, String>((text(&target["name"], "name")?, text(&target["src_path"], "src_path")?.into()))
        });
        Ok(Self {
            name: text(&package["name"], "name")?,
            version: text(&package["version"], "version")?,
            manifest: text(&package["manifest_path"], "manifest_path")?.into(),
            workspace: workspace.into(),
            binaries: binaries.collect::<Result<_, _>>()?,
            has_library: targets
                .iter()
                .any(|target| is(target, &["lib", "rlib", "cdylib", "dylib", "staticlib", "proc-macro"])),
            default_run: package["default_run"].as_str().map(str::to_owned),
            dependencies: package["dependencies"].as_array().cloned().unwrap_or_default(),
        })
    }

    /// The path as it is shown: as the compiler shows it, from the workspace on.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.workspace).unwrap_or(path).display().to_string()
    }

    /// The folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new("."))
    }

    /// The normal dependency on this package.
    fn dependency(&self, name: &str) -> Option<&Value> {
        self.dependencies.iter().find(|dependency| dependency["name"] == name && dependency["kind"].is_null())
    }

    /// Whether the package depends on a version of this series, such as `0.8`.
    pub(crate) fn depends_on(&self, name: &str, series: &str) -> bool {
        let requirement = self.dependency(name).and_then(|dependency| dependency["req"].as_str()).unwrap_or_default();
        let version = requirement.trim_start_matches(['^', '=', '~', ' ']);
        version.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The name under which the package uses the library, if it depends on it.
    pub(crate) fn library(&self) -> Option<String> {
        let dependency = self.dependency(LIBRARY)?;
        Some(dependency["rename"].as_str().unwrap_or("graceful").replace('-', "_"))
    }

    /// Whether the package depends on another package that takes the library's name.
    pub(crate) fn has_other_graceful(&self) -> bool {
        self.dependencies.iter().any(|dependency| {
            let name = dependency["rename"].as_str().or(dependency["name"].as_str());
            name == Some("graceful") && dependency["name"] != LIBRARY
        })
    }

    /// The binary of this name, or the only one.
    fn binary(&self, name: Option<&str>) -> Result<(String, PathBuf), Failure> {
        let wrong = |message: String| Err(Failure::new(ExitCode::Usage, message));
        let names = || self.binaries.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let chosen = name.or(self.default_run.as_deref());
        match (chosen, &self.binaries[..]) {
            (_, []) => wrong(format!(
                "the package {} has no binary, so there is nothing to convert; hooks of a library are \
                 #[graceful::shutdown_hook] functions",
                self.name
            )),
            (None, [only]) => Ok(only.clone()),
            (None, _) => wrong(format!("{} has several binaries; choose one with --bin: {}", self.name, names())),
            (Some(name), binaries) => match binaries.iter().find(|(found, _)| found == name) {
                Some(found) => Ok(found.clone()),
                None => wrong(format!("{} has no binary `{name}`; it has: {}", self.name, names())),
            },
        }
    }
}

/// Chooses a package and its binary: by their names, by the current folder, or because there is one only.
///
/// # Errors
/// None, or several.
pub(crate) fn choose(
    packages: &[Package],
    package: Option<&str>,
    binary: Option<&str>,
    folder: &Path,
) -> Result<(Package, String, PathBuf), Failure> {
    let wrong = |message: String| Failure::new(ExitCode::Usage, message);
    let with_binary = |package: &&Package| {
        binary.map_or(!package.binaries.is_empty(), |name| package.binaries.iter().any(|(found, _)| found == name))
    };
    let here = || {
        let of_folder = folder.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
        packages.iter().find(|package| Some(package.folder()) == of_folder)
    };
    let chosen = match package {
        Some(name) => {
            let found = packages.iter().find(|package| package.name == name);
            found.ok_or_else(|| wrong(format!("the workspace has no package `{name}`")))?
        }
        None => match (here(), &packages.iter().filter(with_binary).collect::<Vec<_>>()[..]) {
            (Some(package), _) => package,
            (None, [package]) => package,
            (None, []) => return Err(wrong("no package of the workspace has such a binary".to_owned())),
            (None, several) => {
                let names: Vec<_> = several.iter().map(|package| package.name.as_str()).collect();
                let message = format!("several packages have binaries; choose one with -p: {}", names.join(", "));
                return Err(wrong(message));
            }
        },
    };
    let (name, root) = chosen.binary(binary)?;
    Ok((chosen.clone(), name, root))
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is missing"))
}
