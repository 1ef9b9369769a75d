use super::shutdown_hook;
use crate::golden::{compare, errors, tokens};

fn expand(attribute: &str, item: &str) -> proc_macro2::TokenStream {
    shutdown_hook(tokens(attribute), tokens(item))
}

#[test]
fn expansions_match_their_golden_files() {
    let cases = [
        ("hook_sync", "order = 2", "/// Docs.\n pub fn log_shutdown() { println!(\"shutting down\") }"),
        (
            "hook_async_with_arguments",
            "order = -1, timeout = \"3s\", name = \"the flush\", crate = ::shutdown",
            "#[cfg(unix)] async fn flush(State(db): State<Db>, cx: HookContext) -> Result<(), io::Error> { db.flush(cx).await }",
        ),
        ("hook_with_const_values", "order = LAST, timeout = TIMEOUT", "async fn r#async() -> impl Outcome {}"),
        ("hook_refused", "priority = 1, timeout = \"0s\"", "async fn flush(self) {}"),
    ];
    for (name, attribute, item) in cases {
        compare(name, &expand(attribute, item));
    }
}

#[test]
fn an_incomplete_body_is_emitted_unchanged() {
    for attribute in ["order = 1", "order = \"1\""] {
        let expansion = expand(attribute, "fn flush() { let x = pool. }").to_string();
        assert!(expansion.contains("{ let x = pool . }"), "{expansion}");
    }
}

#[test]
fn every_mistake_has_exactly_one_error() {
    const FLUSH: &str = "async fn flush() {}";
    for (attribute, item, count) in [
        ("", FLUSH, 1),
        ("order", FLUSH, 1),
        ("order =", FLUSH, 1),
        ("order(1)", FLUSH, 1),
        ("1", FLUSH, 1),
        ("-1", FLUSH, 1),
        ("LAST", FLUSH, 2),
        ("order = 1, order = \"2\"", FLUSH, 1),
        ("order = 2147483648", FLUSH, 1),
        ("order = -2147483649", FLUSH, 1),
        ("order = true, name = 3, timeout = 3, crate = 3", FLUSH, 4),
        ("order = 1", "const unsafe extern \"C\" fn flush() {}", 3),
        ("order = 1", "fn flush<'a, T>(&self, a: &'a T, b: impl Send) {}", 4),
        ("order = 1", "fn flush(a: dyn Pool + Send, b: Pool +) {}", 2),
        ("order = 1", "fn flush() -> dyn Error + Send {}", 0),
        ("ordr = 1", "static FLUSH: u8 = 1;", 2),
    ] {
        let found = errors(&expand(attribute, item));
        assert_eq!(found.len(), count, "#[shutdown_hook({attribute})]: {found:#?}");
        assert!(found.iter().all(|error| error.contains("help: ")), "{found:#?}");
    }
}

#[test]
fn accepts_every_i32_as_order() {
    for order in ["0", "-1", "1_000", "0x10", "2147483647", "-2147483648", "5i32", "LAST - 1", "{ 3 }", "i32::MIN"] {
        let expansion = expand(&format!("order = {order}"), "fn flush() {}");
        assert!(errors(&expansion).is_empty(), "{order}: {expansion}");
    }
}

#[test]
fn names_of_other_frameworks_get_a_suggestion() {
    for (found, meant) in [("priority", "order"), ("prio", "order"), ("deadline", "timeout"), ("label", "name")] {
        let errors = errors(&expand(&format!("{found} = 1, order = 1"), "fn flush() {}"));
        assert!(errors[0].contains(&format!("did you mean `{meant}`?")), "{found}: {errors:?}");
    }
}
