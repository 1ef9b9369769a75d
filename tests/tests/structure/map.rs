//! Compares the lists of ARCHITECTURE.md with the files.

use crate::source;
use std::collections::BTreeMap;

/// The files under the heading `### {heading}`, in order.
pub(crate) fn list(page: &str, heading: &str) -> Option<Vec<String>> {
    let mut lines = page.lines().skip_while(|line| line.trim_end() != format!("### {heading}")).skip(1).peekable();
    lines.peek()?;
    let section = lines.take_while(|line| !line.starts_with('#'));
    let file = |line: &str| line.strip_prefix("- `")?.split_once('`').map(|(file, _)| file.to_owned());
    Some(section.filter_map(file).collect())
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
fn a_module_with_a_path_attribute_is_resolved_to_its_file() {
    let lib = "#[doc(hidden)] #[path = \"low.rs\"] pub mod __low; mod folder;";
    assert_eq!(problems(&[("lib.rs", lib)]), Vec::<String>::new());
}
