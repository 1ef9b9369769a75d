//! The attributes' tokens.

use crate::{check, hook, main_fn};
use proc_macro2::TokenStream;
use std::str::FromStr;

/// The name of an attribute, its arguments and its item, apart by a line `---`. An expansion without an error parses as
/// Rust if its item does; an error ends with its fix, unless the item is not Rust; and the same tokens expand to the same.
pub fn attributes(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split("\n---\n");
    let (Some(name), Some(arguments), Some(item), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let expand = match name {
        "main" => main_fn::main,
        "shutdown_hook" => hook::shutdown_hook,
        "health_check" => check::health_check,
        _ => return,
    };
    let (Ok(arguments), Ok(item)) = (TokenStream::from_str(arguments), TokenStream::from_str(item)) else { return };
    let expansion = expand(arguments.clone(), item.clone());
    let shown = expansion.to_string();
    assert_eq!(shown, expand(arguments, item.clone()).to_string());
    let is_refused = shown.matches("compile_error !").count() > item.to_string().matches("compile_error !").count();
    if is_refused {
        assert!(shown.contains("\\nhelp: ") || syn::parse2::<syn::Item>(item).is_err(), "{shown}");
        assert!(!shown.contains("a bug of graceful-macros"), "{shown}");
    } else if syn::parse2::<syn::ItemFn>(item).is_ok() {
        syn::parse2::<syn::File>(expansion).unwrap_or_else(|error| panic!("{error}: {shown}"));
    }
}
