//! `cargo graceful init`.

use crate::{
    console,
    exit_code::{ExitCode, Failure},
    init::{self, Binary, LIBRARY, Origin, Package, Plan},
    process::{metadata, uncommitted},
    replace::replace,
    style::{GOOD, STRONG, paint},
};
use std::{
    env,
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The package [default: that of the current folder]
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,
    /// The binary, if the package has several
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,
    /// Depend on the library in this folder [default: the folder that this command was built from, if it exists]
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
    /// Depend on the library of crates.io, in the version of this command
    #[arg(long, conflicts_with = "path")]
    registry: bool,
    /// Apply the mechanical steps
    #[arg(long)]
    write: bool,
    /// Write files that are not committed, or not under version control
    #[arg(long, requires = "write")]
    allow_dirty: bool,
}

/// Prints the steps of a conversion, and applies those that are mechanical.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    let input = |error: String| Failure::new(ExitCode::Input, error);
    let metadata = metadata().await?;
    let packages = Package::all(&metadata).map_err(|error| input(format!("cargo metadata: {error}")))?;
    let here = env::current_dir().map_err(|error| input(format!("the current folder: {error}")))?;
    let (package, name, root) = init::choose(&packages, options.package.as_deref(), options.bin.as_deref(), &here)?;
    let sources = init::read(&root, |path| package.shown(path))?;
    let manifest_name = package.shown(&package.manifest);
    let manifest = init::read_text(&package.manifest).map_err(|why| input(format!("{manifest_name}: {why}")))?;
    let plan = init::plan(&Binary {
        package: &package,
        sources: &sources,
        manifest_name: &manifest_name,
        manifest: &manifest,
        origin: origin(&options, &package)?,
    })?;

    let mut files: Vec<_> = sources.iter().map(|source| (source.name.as_str(), source.text.as_str())).collect();
    files.push((&manifest_name, &manifest));
    let modules = match sources.len() - 1 {
        0 => String::new(),
        number => format!(" and {}", count(number, "module")),
    };
    let title = format!("{} {}, binary {name}: {}{modules}", package.name, package.version, sources[0].name);
    let mut text = format!("{}\n\n{}", paint(STRONG, title), init::steps(&plan, &files));
    let edits: Vec<_> = plan.steps.iter().flat_map(|step| step.edits()).collect();
    if options.write && !edits.is_empty() {
        let mut changed = Vec::new();
        for (file, (_, old)) in files.iter().enumerate() {
            let new = init::apply(old, file, edits.iter().copied());
            let (path, bom) = match sources.get(file) {
                Some(source) => (&source.path, if source.has_bom { "\u{feff}" } else { "" }),
                None => (&package.manifest, ""),
            };
            if new != *old {
                changed.push((path, format!("{bom}{new}")));
            }
        }
        if !options.allow_dirty {
            let paths: Vec<_> = changed.iter().map(|(path, _)| path.as_path()).collect();
            refuse_uncommitted(&paths, &package).await?;
        }
        for (path, new) in &changed {
            replace(path, new)
                .map_err(|error| Failure::new(ExitCode::Io, format!("cannot write {}: {error}", path.display())))?;
        }
        text += &summary(&plan, Some(changed.len()));
    } else {
        text += &summary(&plan, None);
    }
    console::show(&text)?;
    Ok(ExitCode::Passed)
}

/// Where the library comes from: what an option says, the workspace, the source of this command, a registry.
fn origin(options: &Options, package: &Package) -> Result<Origin, Failure> {
    let wrong = |message: String| Failure::new(ExitCode::Usage, message);
    let folder = |path: &Path| relative(path, package.folder()).map_err(|error| wrong(format!("--path: {error}")));
    if let Some(path) = &options.path {
        if !is_library(path) {
            let message = format!("--path {}: the folder has no Cargo.toml of {LIBRARY}", path.display());
            return Err(wrong(message));
        }
        return Ok(Origin::Folder(folder(path)?));
    }
    let workspace = init::read_text(&package.workspace.join("Cargo.toml"));
    if workspace.is_ok_and(|text| init::is_in_workspace(&text)) {
        return Ok(Origin::Workspace);
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("runtime");
    match !options.registry && is_library(&source) {
        true => Ok(Origin::Source(folder(&source)?)),
        false => Ok(Origin::Registry),
    }
}

/// Whether the folder has the library's Cargo.toml.
fn is_library(folder: &Path) -> bool {
    let manifest = init::read_text(&folder.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(|line| line.replace(' ', "") == format!("name=\"{LIBRARY}\"")))
}

/// The path of a folder as seen from another one, with forward slashes as manifests have.
fn relative(path: &Path, from: &Path) -> std::io::Result<String> {
    let (path, from) = (path.canonicalize()?, from.canonicalize()?);
    let common = path.components().zip(from.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = path.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<_> = up.chain(down).collect();
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// What the steps amount to, and what comes next.
fn summary(plan: &Plan, written: Option<usize>) -> String {
    let mechanical = plan.steps.iter().filter(|step| !step.edits().is_empty()).count();
    let by_hand = plan.steps.len() - mechanical;
    let mut lines = Vec::new();
    if plan.is_converted {
        lines.push(paint(GOOD, "`main` is converted already: it is under #[graceful::main]."));
    }
    match (written, mechanical) {
        (Some(files), _) => {
            lines.push(format!(
                "{}, {by_hand} left to you.",
                paint(GOOD, format_args!("{} written to {}", count(mechanical, "step"), count(files, "file")))
            ));
            lines.push("next: `cargo check`, `cargo fmt`, and `git diff`.".to_owned());
        }
        (None, 0) if by_hand == 0 => lines.push("There is nothing to convert.".to_owned()),
        (None, _) => {
            lines.push(format!("{}: {mechanical} mechanical, {by_hand} by hand.", count(plan.steps.len(), "step")));
            if mechanical > 0 {
                lines.push("Nothing is written: `--write` applies the mechanical steps.".to_owned());
            }
        }
    }
    if written.is_some() || mechanical == 0 {
        lines.push("then: `cargo graceful plan` draws the shutdown,".to_owned());
        lines.push("      `cargo graceful check FILE` compares a manifest with it,".to_owned());
        lines.push("      `cargo graceful rehearse` runs it under load.".to_owned());
    }
    lines.join("\n") + "\n"
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Refuses to write what version control could not restore.
async fn refuse_uncommitted(paths: &[&Path], package: &Package) -> Result<(), Failure> {
    let folder = package.folder();
    let problem = match uncommitted(paths, folder).await {
        Some(files) if files.is_empty() => return Ok(()),
        Some(files) => format!(
            "changes are not committed: {}",
            files.iter().map(|path| package.shown(path)).collect::<Vec<_>>().join(", ")
        ),
        None => format!("{} is not under version control with git", folder.display()),
    };
    Err(Failure::new(ExitCode::Usage, format!("nothing is written: {problem}; --allow-dirty writes nevertheless")))
}
