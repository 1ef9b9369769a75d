//! What the files of a program declare: functions, imports, and the parts that are tests.

use super::source::{Source, range};
use std::{collections::BTreeMap, ops::Range};
use syn::{Attribute, Item, ItemFn, ItemUse, ReturnType, Type, UseTree, visit::Visit};

/// The declarations of all files.
pub(crate) struct Survey<'a> {
    pub(crate) sources: &'a [Source],
    /// Functions outside of `impl` blocks and tests, by the number of their file.
    pub(crate) functions: Vec<(usize, &'a ItemFn)>,
    pub(crate) uses: Vec<(usize, &'a ItemUse)>,
    /// Tests and the modules that are compiled for tests only.
    tests: Vec<(usize, Range<usize>)>,
    /// The names of each file with the paths that they are imported from.
    imports: Vec<BTreeMap<String, String>>,
}

impl<'a> Survey<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Self {
        let mut survey = Self { sources, functions: vec![], uses: vec![], tests: vec![], imports: vec![] };
        for (file, source) in sources.iter().enumerate() {
            let mut collector = Collector { survey: &mut survey, file };
            collector.visit_file(&source.file);
            let mut imports = BTreeMap::new();
            for (_, item) in survey.uses.iter().filter(|(of, _)| *of == file) {
                leaves(&item.tree, "", &mut |name, path| drop(imports.insert(name, path)));
            }
            survey.imports.push(imports);
        }
        survey
    }

    /// The function `main` of the root file.
    pub(crate) fn main(&self) -> Option<&'a ItemFn> {
        self.sources.first()?.file.items.iter().find_map(|item| match item {
            Item::Fn(function) if function.sig.ident == "main" => Some(function),
            _ => None,
        })
    }

    /// The path with its first segment replaced by what the file imports under this name.
    pub(crate) fn resolve(&self, file: usize, path: &syn::Path) -> String {
        let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        match self.imports[file].get(&segments[0]) {
            Some(imported) => [std::slice::from_ref(imported), &segments[1..]].concat().join("::"),
            None => segments.join("::"),
        }
    }

    /// What the file imports under this name.
    pub(crate) fn import(&self, file: usize, name: &str) -> Option<&str> {
        self.imports[file].get(name).map(String::as_str)
    }

    /// Whether this place belongs to a test.
    pub(crate) fn is_test(&self, file: usize, at: usize) -> bool {
        self.tests.iter().any(|(of, range)| *of == file && range.contains(&at))
    }

    /// The place of a test that has this word.
    pub(crate) fn test_with(&self, word: &str) -> Option<String> {
        self.tests.iter().find_map(|(file, range)| {
            let source = &self.sources[*file];
            let token = source.tokens_in(range).iter().find(|token| token.text == word)?;
            Some(source.place(token.range.start))
        })
    }

    /// Whether this place is in a `use` item.
    pub(crate) fn is_use(&self, file: usize, at: usize) -> bool {
        self.uses.iter().any(|(of, item)| *of == file && range(*item).contains(&at))
    }

    /// The functions of this name.
    pub(crate) fn named(&self, name: &syn::Ident) -> impl Iterator<Item = &(usize, &'a ItemFn)> {
        self.functions.iter().filter(move |(_, function)| function.sig.ident == *name)
    }
}

/// Calls back for each name that a `use` tree imports, with its path. Globs import no name.
fn leaves(tree: &UseTree, prefix: &str, found: &mut impl FnMut(String, String)) {
    let joined = |name: &syn::Ident| if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") };
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &joined(&path.ident), found),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, prefix, found)),
        UseTree::Name(name) if name.ident == "self" => {
            found(prefix.rsplit("::").next().unwrap_or_default().to_owned(), prefix.to_owned());
        }
        UseTree::Name(name) => found(name.ident.to_string(), joined(&name.ident)),
        UseTree::Rename(rename) => found(rename.rename.to_string(), joined(&rename.ident)),
        _ => {}
    }
}

/// The last name of a type's path, and that of its first argument: `Result` and `Router` of `io::Result<Router>`.
pub(crate) fn type_names(ty: &Type) -> (Option<String>, Option<String>) {
    let Type::Path(path) = ty else { return (None, None) };
    let Some(last) = path.path.segments.last() else { return (None, None) };
    let argument = match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.first().and_then(|argument| match argument {
            syn::GenericArgument::Type(ty) => type_names(ty).0,
            _ => None,
        }),
        _ => None,
    };
    (Some(last.ident.to_string()), argument)
}

/// Whether the function returns this type, or a `Result` of it.
pub(crate) fn returns(function: &ItemFn, name: &str) -> bool {
    let ReturnType::Type(_, ty) = &function.sig.output else { return false };
    match type_names(ty) {
        (Some(outer), Some(inner)) if outer == "Result" => inner == name,
        (outer, _) => outer.as_deref() == Some(name),
    }
}

/// Whether the item is a test, or compiled for tests only.
fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let name = attribute.path().segments.last().map(|segment| segment.ident.to_string());
        let is_cfg = attribute.path().is_ident("cfg");
        name.as_deref() == Some("test")
            || is_cfg && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

struct Collector<'s, 'a> {
    survey: &'s mut Survey<'a>,
    file: usize,
}

impl<'a> Visit<'a> for Collector<'_, 'a> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if is_of_tests(&item.attrs) {
            self.survey.tests.push((self.file, range(item)));
        } else {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        if is_of_tests(&item.attrs) {
            self.survey.tests.push((self.file, range(item)));
        } else {
            self.survey.functions.push((self.file, item));
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.survey.uses.push((self.file, item));
    }
}
