//! Compares the lists of ARCHITECTURE.md with the files.

use crate::source;
use std::collections::BTreeMap;

/// The files under the heading `### {heading}`, in order.
pub(crate) fn list(page: &str, heading: &str) -> Option<Vec<String>> {
    let mut lines = page.lines().skip_while(|line| line.trim_end() != format!("### {heading}")).skip(1).peekable();
    lines.peek()?;
    let section = lines.take_while(|line| !line.starts_with('#'));
    Some(section.flat_map(files_of).collect())
}

/// The files of one line: ``- `file.rs`: free text``, or ``- `folder/` `one.rs` `nested/two.rs` ``.
fn files_of(line: &str) -> Vec<String> {
    let Some(rest) = line.strip_prefix("- `") else { return Vec::new() };
    let mut quoted = rest.split('`').step_by(2);
    match quoted.next() {
        Some(folder) if folder.ends_with('/') => {
            quoted.filter(|file| file.ends_with(".rs")).map(|file| format!("{folder}{file}")).collect()
        }
        file => file.map(str::to_owned).into_iter().collect(),
    }
}

/// Files of unit tests are not listed: no file uses them, and they may use every file.
pub(crate) fn is_of_tests(file: &str) -> bool {
    file == "tests.rs" || file.ends_with("/tests.rs") || file.contains("tests/")
}

/// The differences between a crate's list and its files, each with the fix.
pub(crate) fn check(folder: &str, list: &[String], files: &BTreeMap<String, String>) -> Vec<String> {
    let mut problems = Vec::new();
    let place = |file: &str| list.iter().position(|listed| listed == file);
    for (at, listed) in list.iter().enumerate() {
        if !files.contains_key(listed) {
            problems.push(format!("ARCHITECTURE.md lists {folder}/{listed}, which does not exist: remove the line"));
        }
        if place(listed) != Some(at) {
            problems.push(format!("ARCHITECTURE.md lists {folder}/{listed} twice: remove a line"));
        }
    }
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    for (user, text) in files.iter().filter(|(file, _)| !is_of_tests(file)) {
        let Some(own) = place(user) else {
            problems.push(format!(
                "{folder}/{user} is not in ARCHITECTURE.md: add it under `### {folder}`, below what it uses"
            ));
            continue;
        };
        for used in source::uses(user, text, &names) {
            if place(&used).is_some_and(|at| at > own) {
                problems.push(format!(
                    "{folder}/{user} uses {folder}/{used}, which stands below it in ARCHITECTURE.md: \
                     move what it needs into a file above, or the line of {user} below that of {used}"
                ));
            }
        }
    }
    problems
}

/// The folder that a file stands in; files of the crate's root stand in none.
fn folder_of(file: &str) -> Option<&str> {
    file.rsplit_once('/').map(|(folder, _)| folder)
}

/// Whether one of two folders contains the other.
fn nested(a: &str, b: &str) -> bool {
    let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    a == b || inside(a, b) || inside(b, a)
}

/// The circles between a crate's folders, each as the files that close it. A folder and one inside of it make none.
pub(crate) fn circles(folder: &str, files: &BTreeMap<String, String>) -> Vec<String> {
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    // For each folder, the folders that it uses, each with one use as an example.
    let mut edges: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for (user, text) in files.iter().filter(|(file, _)| !is_of_tests(file)) {
        for used in source::uses(user, text, &names) {
            if let (Some(from), Some(to)) = (folder_of(user), folder_of(&used))
                && !nested(from, to)
            {
                let example = format!("{folder}/{user} uses {folder}/{used}");
                edges.entry(from).or_default().entry(to.to_owned()).or_insert(example);
            }
        }
    }
    let mut problems = Vec::new();
    for start in edges.keys() {
        // Every folder that can be reached from here, with the uses that lead there.
        let (mut reached, mut open) = (BTreeMap::new(), vec![((*start).to_owned(), Vec::<String>::new())]);
        while let Some((at, path)) = open.pop() {
            for (to, example) in edges.get(at.as_str()).into_iter().flatten() {
                let path: Vec<_> = path.iter().cloned().chain([example.clone()]).collect();
                if !reached.contains_key(to) {
                    reached.insert(to.clone(), path.clone());
                    open.push((to.clone(), path));
                }
            }
        }
        if let Some(path) = reached.get(*start) {
            problems.push(format!("a circle between folders: {}; move a file, or what it needs", path.join(", ")));
        }
    }
    problems
}

const PAGE: &str = "
### a/src
Values.
- `low.rs`: the lowest
- `folder/left.rs`
- `folder/right.rs`: may use its sibling

More.
- `folder/mod.rs`
- `lib.rs`

### b/src
- `other.rs`
";

fn problems(changes: &[(&str, &str)]) -> Vec<String> {
    let mut files: BTreeMap<String, String> = [
        ("low.rs", "pub struct Low;"),
        ("folder/left.rs", "use crate::low::Low;"),
        ("folder/right.rs", "use super::left::Left; use crate::{low::{self, Low}};"),
        ("folder/mod.rs", "mod left; mod right; pub use right::Right;"),
        ("lib.rs", "mod low; mod folder;"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    for (name, text) in changes {
        files.insert((*name).to_owned(), (*text).to_owned());
    }
    check("a/src", &list(PAGE, "a/src").unwrap(), &files)
}

#[track_caller]
fn complains(changes: &[(&str, &str)], about: &str) {
    let problems = problems(changes);
    assert!(problems.len() == 1 && problems[0].starts_with(about), "`{about}` in {problems:#?}");
}

#[test]
fn a_list_ends_at_the_next_heading() {
    assert_eq!(list(PAGE, "b/src"), Some(vec!["other.rs".to_owned()]));
    assert_eq!(list(PAGE, "c/src"), None);
    assert_eq!(problems(&[]), Vec::<String>::new());
}

#[test]
fn every_form_of_a_use_of_a_later_file_is_found() {
    for text in [
        "use crate::folder::left::Left;",
        "fn f() { crate::folder::left::f() }",
        "use crate::{ /* why */ folder::{\n left::Left as L } };",
        "pub(crate) use super::folder::left::*;",
        "mod inner { use super::super::folder::left::Left; }",
        "struct S { x: Vec<crate::folder::left::Left> }",
    ] {
        complains(&[("low.rs", text)], "a/src/low.rs uses a/src/folder/left.rs, which stands below it");
    }
    complains(&[("folder/left.rs", "use super::right::R;")], "a/src/folder/left.rs uses a/src/folder/right.rs");
    complains(&[("folder/left.rs", "use super::Item;")], "a/src/folder/left.rs uses a/src/folder/mod.rs");
    complains(&[("low.rs", "use crate::Health;")], "a/src/low.rs uses a/src/lib.rs");
}

#[test]
fn comments_strings_and_tests_are_not_uses() {
    for text in [
        "// use crate::folder::left::Left;",
        "/// [`crate::folder::left`] \n/* /* crate::folder::left */ */ fn f() {}",
        "const S: &str = \"use crate::folder::left\"; const R: &str = r#\"\" crate::folder::left\"#;",
        "pub(crate) fn f<'a>(c: char) -> bool { c == '\"' } // \" crate::folder::left",
        "#[cfg(test)] mod tests { use crate::folder::left::Left; mod m {} } fn f() {}",
        "#[cfg(test)] use crate::folder::left::Left;",
        "mod inner { use super::Low; } pub struct Low;",
        "macro_rules! m { () => { $crate::folder::left::f() } }",
        "use other::crate_::folder;",
    ] {
        assert_eq!(problems(&[("low.rs", text)]), Vec::<String>::new(), "{text}");
    }
    // Code after a test is checked.
    let after = "#[cfg(test)] mod t { fn f() {} } use crate::folder::left::Left;";
    complains(&[("low.rs", after)], "a/src/low.rs uses a/src/folder/left.rs");
}

#[test]
fn files_without_a_line_and_lines_without_a_file_are_found() {
    complains(&[("new.rs", "")], "a/src/new.rs is not in ARCHITECTURE.md");
    assert_eq!(problems(&[("folder/tests.rs", "use crate::lib::X;")]), Vec::<String>::new());
    let list = ["low.rs".to_owned(), "gone.rs".to_owned(), "low.rs".to_owned()];
    let found = check("a/src", &list, &[("low.rs".to_owned(), String::new())].into());
    assert!(found.iter().any(|problem| problem.contains("a/src/gone.rs, which does not exist")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("a/src/low.rs twice")), "{found:?}");
}

#[test]
fn a_line_lists_one_file_or_the_files_of_a_folder_in_their_order() {
    assert_eq!(files_of("- `low.rs`: uses no `other.rs`"), ["low.rs"]);
    assert_eq!(files_of("- `a/` `one.rs` `b/two.rs` (and `c`) `mod.rs`"), ["a/one.rs", "a/b/two.rs", "a/mod.rs"]);
    assert_eq!(files_of("- plain text with `low.rs`"), Vec::<String>::new());
    let page = "### a/src\n- `folder/` `right.rs` `left.rs`\n";
    let files = [("folder/left.rs", ""), ("folder/right.rs", "use super::left::Left;")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let found = check("a/src", &list(page, "a/src").unwrap(), &files);
    assert!(found.len() == 1 && found[0].starts_with("a/src/folder/right.rs uses a/src/folder/left.rs"), "{found:?}");
}

#[test]
fn a_circle_between_folders_is_found_however_long_it_is_and_a_nested_folder_makes_none() {
    let circles = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        circles("a/src", &files)
    };
    let line = [("a/one.rs", "use crate::b::two::X;"), ("b/two.rs", "use crate::c::three::X;"), ("c/three.rs", "")];
    assert_eq!(circles(&line), Vec::<String>::new());
    let circle = [line[0], line[1], ("c/three.rs", "use crate::a::one::X;")];
    let found = circles(&circle);
    assert!(found.len() == 3 && found[0].contains("a/src/c/three.rs uses a/src/a/one.rs"), "{found:#?}");
    let nested = [("a/mod.rs", "mod b;"), ("a/b/mod.rs", "mod c;"), ("a/b/c.rs", "use crate::a::one::X;"), line[2]];
    let nested = [nested.as_slice(), &[("a/one.rs", "use crate::top::X;"), ("top.rs", "use crate::c::three::X;")]];
    assert_eq!(circles(&nested.concat()), Vec::<String>::new());
}

#[test]
fn a_module_with_a_path_attribute_is_resolved_to_its_file() {
    let lib = "#[doc(hidden)] #[path = \"low.rs\"] pub mod __low; mod folder;";
    assert_eq!(problems(&[("lib.rs", lib)]), Vec::<String>::new());
}
