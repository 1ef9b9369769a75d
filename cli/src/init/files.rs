//! Reads the files of a binary: its root file and the modules that it declares.

use super::source::Source;
use crate::exit_code::{ExitCode, Failure};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};
use syn::{Expr, Item, Lit, Meta};

/// The limit of a file in bytes.
const LONGEST: u64 = 4 << 20;

/// The limit of files of one binary.
const MOST: usize = 2000;

/// Reads the files of the binary, the root file first; `shown` names them in messages. A module whose file does not exist is left out: the compiler
/// reports it, unless a `cfg` excludes it.
///
/// # Errors
/// A file that is not UTF-8, not Rust, or over the limit.
pub(crate) fn read(root: &Path, shown: impl Fn(&Path) -> String) -> Result<Vec<Source>, Failure> {
    let mut sources = vec![parse(root, shown(root))?];
    // The folder that holds the modules of each file.
    let mut homes = vec![root.parent().unwrap_or(Path::new("")).to_owned()];
    let mut next = 0;
    while next < sources.len() {
        let mut found = Vec::new();
        let own = sources[next].path.parent().unwrap_or(Path::new("")).to_owned();
        declared(&sources[next].file.items, &homes[next], &own, &mut found);
        for (candidates, home) in found {
            let path = candidates.into_iter().find(|path| path.is_file());
            if let Some(path) = path.filter(|path| sources.iter().all(|source| source.path != *path)) {
                if sources.len() == MOST {
                    let message = format!("{} has more than {MOST} modules", root.display());
                    return Err(Failure::new(ExitCode::Input, message));
                }
                sources.push(parse(&path, shown(&path))?);
                homes.push(home);
            }
        }
        next += 1;
    }
    Ok(sources)
}

/// The files in which each declared module may be, and the folder of its own modules.
fn declared(items: &[Item], home: &Path, own: &Path, found: &mut Vec<(Vec<PathBuf>, PathBuf)>) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let inner = home.join(name.trim_start_matches("r#"));
        match (&module.content, path_attribute(&module.attrs)) {
            (Some((_, items)), _) => declared(items, &inner, &inner, found),
            (None, Some(path)) => {
                let path = own.join(path);
                let home = path.parent().unwrap_or(own).to_owned();
                found.push((vec![path], home));
            }
            (None, None) => found.push((vec![inner.with_extension("rs"), inner.join("mod.rs")], inner)),
        }
    }
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

fn parse(path: &Path, name: String) -> Result<Source, Failure> {
    let failed = |why: String| Failure::new(ExitCode::Input, why);
    let text = read_text(path).map_err(|why| failed(format!("{name}: {why}")))?;
    Source::parse(path.to_owned(), name, &text).map_err(failed)
}

/// Reads a text file within the limit.
///
/// # Errors
/// Why not.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err("the file is larger than 4 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())
}
