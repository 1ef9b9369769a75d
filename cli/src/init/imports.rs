//! Removes what a conversion leaves unused: functions that waited for signals, and imports.

use super::{
    servers::Conversion,
    source::{Kind, Source, range},
    step::Edit,
    survey::Survey,
};
use std::{collections::BTreeSet, ops::Range};
use syn::{UseTree, Visibility};

/// A function that nothing calls after the conversion, and its removal.
pub(crate) struct Unused {
    pub(crate) file: usize,
    pub(crate) name: String,
    pub(crate) at: usize,
    /// `None` where other programs of the package may share the file.
    pub(crate) edit: Option<Edit>,
}

/// The functions that only the replaced shutdown signals have called.
pub(crate) fn functions(survey: &Survey<'_>, conversions: &[Conversion], shares_files: bool) -> Vec<Unused> {
    let edits: Vec<_> = conversions.iter().flat_map(|conversion| &conversion.edits).collect();
    let waits = conversions.iter().flat_map(|conversion| &conversion.waits);
    let called: BTreeSet<_> = waits.filter_map(|wait| wait.function.clone()).collect();
    let mut unused = Vec::new();
    for (file, name) in called {
        let Some((_, function)) =
            survey.functions.iter().find(|(of, function)| *of == file && function.sig.ident == name)
        else {
            continue;
        };
        let own = range(*function);
        let is_used = survey.sources.iter().enumerate().any(|(of, source)| {
            source.tokens.iter().any(|token| {
                let at = token.range.start;
                let is_removed = edits.iter().any(|edit| edit.file == of && edit.range.contains(&at));
                let is_own = of == file && own.contains(&at);
                token.text == name && !is_removed && !is_own && !survey.is_use(of, at)
            })
        });
        if !is_used {
            let is_certain = file == 0 || !shares_files;
            let edit = is_certain.then(|| Edit::new(file, survey.sources[file].item_lines(&own), ""));
            unused.push(Unused { file, name, at: range(&function.sig).start, edit });
        }
    }
    unused
}

/// The removal of imports that are unused after these edits; and the imports that may be.
pub(crate) fn imports(survey: &Survey<'_>, edits: &[Edit]) -> (Vec<Edit>, Vec<(usize, usize, String)>) {
    let (mut removals, mut doubtful) = (Vec::new(), Vec::new());
    for (file, source) in survey.sources.iter().enumerate() {
        let own: Vec<_> = edits.iter().filter(|edit| edit.file == file).collect();
        let is_removed = |at: usize| own.iter().any(|edit| edit.range.contains(&at));
        let mut kept: BTreeSet<String> = own.iter().flat_map(|edit| words(&edit.text)).collect();
        let mut gone = BTreeSet::new();
        for token in source.tokens.iter().filter(|token| token.kind == Kind::Word) {
            match (survey.is_use(file, token.range.start), is_removed(token.range.start)) {
                (true, _) => {}
                (false, true) => drop(gone.insert(token.text.clone())),
                (false, false) => drop(kept.insert(token.text.clone())),
            }
        }
        // A function that is removed in another file may be imported here.
        let unused: BTreeSet<String> = gone.difference(&kept).cloned().collect();
        // Whole items; those that follow each other are one range.
        let mut items: Vec<Range<usize>> = Vec::new();
        let uses = survey.uses.iter().filter(|(of, item)| *of == file && matches!(item.vis, Visibility::Inherited));
        for (_, item) in uses {
            let mut names = BTreeSet::new();
            let rewritten = rewrite(source, &item.tree, "", &unused, &mut names);
            if matches!(rewritten, Rewritten::Same) {
                continue;
            }
            if source.has_comment(&range(*item)) || names.iter().any(|name| used_elsewhere(survey, file, name)) {
                let names = names.into_iter().collect::<Vec<_>>().join("`, `");
                doubtful.push((file, range(*item).start, names));
            } else {
                match rewritten {
                    Rewritten::Text(text) => removals.push(Edit::new(file, range(&item.tree), text)),
                    _ => {
                        let lines = source.whole_lines(&range(*item));
                        match items.last_mut().filter(|last| last.end == lines.start) {
                            Some(last) => last.end = lines.end,
                            None => items.push(lines),
                        }
                    }
                }
            }
        }
        removals.extend(items.into_iter().map(|lines| Edit::new(file, source.with_blank_line(lines), "")));
    }
    (removals, doubtful)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned)
}

/// Whether a file other than this one may use the name through this file's module.
fn used_elsewhere(survey: &Survey<'_>, file: usize, name: &str) -> bool {
    survey.sources.iter().enumerate().filter(|(of, _)| *of != file).any(|(of, source)| {
        let has = |word: &str| source.tokens.iter().any(|token| token.kind == Kind::Word && token.text == word);
        let is_own =
            survey.import(of, name).is_some_and(|path| !path.starts_with("crate") && !path.starts_with("super"));
        has(name) && !is_own && (has("crate") || has("super"))
    })
}

/// A `use` tree without some names.
enum Rewritten {
    Same,
    Gone,
    Text(String),
}

/// Removes the unused names from the tree, and collects those that it has.
fn rewrite(
    source: &Source,
    tree: &UseTree,
    parent: &str,
    unused: &BTreeSet<String>,
    found: &mut BTreeSet<String>,
) -> Rewritten {
    let mut leaf = |name: &str| {
        if unused.contains(name) {
            found.insert(name.to_owned());
            Rewritten::Gone
        } else {
            Rewritten::Same
        }
    };
    match tree {
        UseTree::Name(name) if name.ident == "self" => leaf(parent),
        UseTree::Name(name) => leaf(&name.ident.to_string()),
        UseTree::Rename(rename) => leaf(&rename.rename.to_string()),
        UseTree::Path(path) => match rewrite(source, &path.tree, &path.ident.to_string(), unused, found) {
            Rewritten::Text(text) => Rewritten::Text(format!("{}::{text}", path.ident)),
            other => other,
        },
        UseTree::Group(group) => {
            let (mut rest, mut is_same) = (Vec::new(), true);
            for tree in &group.items {
                let rewritten = rewrite(source, tree, parent, unused, found);
                is_same &= matches!(rewritten, Rewritten::Same);
                match rewritten {
                    Rewritten::Same => rest.push(source.slice(range(tree)).to_owned()),
                    Rewritten::Gone => {}
                    Rewritten::Text(text) => rest.push(text),
                }
            }
            match &rest[..] {
                [] => Rewritten::Gone,
                _ if is_same => Rewritten::Same,
                [one] if one != "self" => Rewritten::Text(one.clone()),
                _ => Rewritten::Text(joined(source, &range(group), &rest)),
            }
        }
        _ => Rewritten::Same,
    }
}

/// The members of a group as the group is written: on one line, or each on its own.
fn joined(source: &Source, group: &Range<usize>, rest: &[String]) -> String {
    if !source.slice(group.clone()).contains('\n') {
        return format!("{{{}}}", rest.join(", "));
    }
    let (newline, indent) = (source.newline(), source.indent(group.start));
    let lines: String = rest.iter().map(|one| format!("{newline}{indent}    {one},")).collect();
    format!("{{{lines}{newline}{indent}}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::step::apply;
    use std::path::PathBuf;

    /// The imports after `main` is emptied, and how many of them are left to the user.
    fn without_main(imports: &str, more: &str) -> (String, usize) {
        let text = format!("{imports}\nfn main() {{ signal::ctrl_c(); Kind::x() }}\n{more}");
        let sources = [Source::parse(PathBuf::new(), "main.rs".to_owned(), &text).unwrap()];
        let survey = Survey::new(&sources);
        let edit = Edit::new(0, range(&survey.main().unwrap().block), "{}");
        let (removals, doubtful) = super::imports(&survey, &[edit]);
        let result = apply(&text, 0, &removals);
        (result[..result.find("fn main").unwrap()].to_owned(), doubtful.len())
    }

    #[test]
    fn unused_names_leave_their_trees_and_used_ones_stay() {
        for (before, after) in [
            ("use tokio::signal;\n", ""),
            ("use tokio::{net::TcpListener, signal};\n", "use tokio::net::TcpListener;\n\n"),
            ("use a::{b, signal, unix::{Kind, Other}};\n", "use a::{b, unix::Other};\n\n"),
            ("use tokio::signal::{self, unix::{signal as s}};\n", "use tokio::signal::unix::{signal as s};\n\n"),
            ("use a::{\n    b,\n    c,\n    signal,\n};\n", "use a::{\n    b,\n    c,\n};\n\n"),
            ("pub use tokio::signal;\n", "pub use tokio::signal;\n\n"),
            ("use a::Trait;\n", "use a::Trait;\n\n"),
        ] {
            assert_eq!(without_main(before, ""), (after.to_owned(), 0), "{before}");
        }
        let (used, more) = ("use tokio::signal;\n", "mod inner { use super::*; fn f() { signal::x() } }");
        assert_eq!(without_main(used, more), (format!("{used}\n"), 0));
        let commented = "use a::{b, /* why */ signal};\n";
        assert_eq!(without_main(commented, ""), (format!("{commented}\n"), 1));
    }
}
