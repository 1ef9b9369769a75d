//! Compares expansions with the formatted files in `goldens`.
//!
//! `GOLDENS=overwrite cargo test -p graceful-macros` regenerates the files. Review them before committing.

use proc_macro2::TokenStream;
use std::{env, fs, path::Path};

/// Compares an expansion with its file.
pub(crate) fn compare(name: &str, expansion: &TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(format!("{name}.rs"));
    let file = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{name}: {error}\n{expansion}"));
    let found = prettyplease::unparse(&file);
    if env::var("GOLDENS").is_ok_and(|value| value == "overwrite") {
        fs::write(&path, &found).expect("the golden file is writable");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} differs; `GOLDENS=overwrite` regenerates it");
}

/// Source text as tokens.
pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the text is valid tokens")
}

/// The messages of an expansion's errors.
pub(crate) fn errors(expansion: &TokenStream) -> Vec<String> {
    let text = expansion.to_string().replace("\\n", "\n").replace("\\\"", "\u{1}");
    text.split("compile_error")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .map(|text| text.replace('\u{1}', "\""))
        .collect()
}
