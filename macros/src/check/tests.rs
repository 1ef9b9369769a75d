use super::health_check;
use crate::golden::{compare, errors, tokens};

const DB: &str = "async fn db() {}";

fn expand(attribute: &str, item: &str) -> proc_macro2::TokenStream {
    health_check(tokens(attribute), tokens(item))
}

#[test]
fn expansions_match_their_golden_files() {
    let cases = [
        ("check_minimal", "", "/// Docs.\n pub async fn db() {}"),
        (
            "check_with_every_key",
            "name = \"db.main\", on = \"readiness\", period = \"2s\", timeout = \"1s\", failures = 5, crate = ::shutdown",
            "#[cfg(unix)] async fn ping(pool: State<Pool>, ctx: Context) -> Result<(), io::Error> { pool.ping(ctx).await }",
        ),
        ("check_sync", "on = \"liveness\"", "fn disk() -> bool { true }"),
        ("check_with_const_values", "on = \"startup\", period = PERIOD, timeout = TIMEOUT", "fn r#loop() {}"),
        (
            "check_refused",
            "interval = \"1s\", on = \"ready\", failures = 0",
            "async fn db(&self) -> bool { self.up() }",
        ),
    ];
    for (name, attribute, item) in cases {
        compare(name, &expand(attribute, item));
    }
}

#[test]
fn an_incomplete_body_is_emitted_unchanged() {
    for attribute in ["", "period = 1"] {
        let expansion = expand(attribute, "fn db() { let x = pool. }").to_string();
        assert!(expansion.contains("{ let x = pool . }"), "{expansion}");
    }
}

#[test]
fn every_mistake_has_exactly_one_error() {
    for (attribute, item, count) in [
        ("name", DB, 1),
        ("\"db\"", DB, 1),
        ("name = \"\"", DB, 1),
        ("name = \"a b\", name = \"c\"", DB, 2),
        ("name = \"..\"", DB, 1),
        ("name = DB", DB, 1),
        ("period = \"0s\"", DB, 1),
        ("timeout = \"0s\"", DB, 1),
        // The default timeout is 1 s.
        ("period = \"500ms\"", DB, 1),
        ("period = \"500ms\", timeout = \"500ms\"", DB, 0),
        ("timeout = \"11s\"", DB, 1),
        ("timeout = \"11s\", period = \"9\"", DB, 1),
        ("timeout = \"11s\", interval = \"9s\"", DB, 1),
        ("timeout = \"11s\", period = LONG", DB, 0),
        ("failures = 0", DB, 1),
        ("failures = 4294967296", DB, 1),
        ("failures = 4294967295u32", DB, 0),
        ("failures = 3u8", DB, 1),
        ("failures = -1", DB, 1),
        ("failures = \"3\"", DB, 1),
        ("on = true, name = 3, period = 3, timeout = 3, failures = 1.5, crate = 3", DB, 6),
        ("", "const unsafe extern \"C\" fn db() {}", 3),
        ("", "fn db<'a, T>(&self, a: &'a T, b: impl Send) {}", 4),
        ("", "fn größe() {}", 1),
        ("name = \"size\"", "fn größe() {}", 0),
        ("label = \"size\"", "fn größe() {}", 1),
        ("perod = \"1s\"", "static DB: u8 = 1;", 2),
    ] {
        let found = errors(&expand(attribute, item));
        assert_eq!(found.len(), count, "#[health_check({attribute})]: {found:#?}");
        assert!(found.iter().all(|error| error.contains("help: ")), "{found:#?}");
    }
}

#[test]
fn accepts_names_that_need_no_escape_in_a_url() {
    for name in ["db", "DB-2", "libdb.pool", "a_b", "7", "..a"] {
        let expansion = expand(&format!("name = \"{name}\""), DB);
        assert!(errors(&expansion).is_empty(), "{name}: {expansion}");
    }
    for (name, meant) in [("my db", "my-db"), ("a/b?c", "a-b-c"), ("größe", "gr-e"), ("%", "db"), ("../x", "x")] {
        let errors = errors(&expand(&format!("name = \"{name}\", on = \"liveness\""), DB));
        assert!(errors[0].contains("`/livez/NAME`"), "{errors:?}");
        assert!(errors[0].ends_with(&format!("write `name = \"{meant}\"`")), "{errors:?}");
    }
}

#[test]
fn names_of_other_frameworks_get_a_suggestion() {
    for (found, meant) in [
        ("interval", "period"),
        ("every", "period"),
        ("periodSeconds", "period"),
        ("threshold", "failures"),
        ("failureThreshold", "failures"),
        ("retries", "failures"),
        ("kind", "on"),
        ("probe", "on"),
        ("type", "on"),
        ("id", "name"),
        ("timeoutSeconds", "timeout"),
    ] {
        let errors = errors(&expand(&format!("{found} = 1"), DB));
        assert_eq!(errors.len(), 1, "{found}: {errors:?}");
        assert!(errors[0].contains(&format!("did you mean `{meant}`?")), "{found}: {errors:?}");
    }
}

#[test]
fn const_expressions_are_checked_by_the_compiler() {
    for (attribute, rules) in [
        ("", 0),
        ("period = \"2s\", timeout = \"1s\"", 0),
        ("period = PERIOD", 2),
        ("timeout = TIMEOUT", 2),
        ("period = PERIOD, timeout = TIMEOUT", 3),
    ] {
        let expansion = expand(attribute, DB).to_string();
        assert_eq!(expansion.matches("assert !").count(), rules, "{attribute}: {expansion}");
    }
}
