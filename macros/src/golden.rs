//! Expansions compared with files of `goldens`, formatted for reading.
//!
//! `GOLDENS=overwrite cargo test -p graceful-macros` writes the files anew; read them before they go in.

use proc_macro2::TokenStream;
use std::{env, fs, path::Path};

/// Compares an expansion with its file.
pub(crate) fn compare(name: &str, expansion: &TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(format!("{name}.rs"));
    let file = syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{name}: {error}\n{expansion}"));
    let found = prettyplease::unparse(&file);
    if env::var("GOLDENS").is_ok_and(|value| value == "overwrite") {
        fs::write(&path, &found).expect("whoever asks for new goldens may write them");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{name} differs; `GOLDENS=overwrite` writes it anew");
}

/// Source text as tokens.
pub(crate) fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tests write tokens")
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
