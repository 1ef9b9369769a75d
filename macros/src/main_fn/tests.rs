use super::{deployment::Deployment, main};
use crate::{
    args::{Args, MAIN},
    diagnostics::Diagnostics,
    golden::{compare, errors, tokens},
};

fn expand(attribute: &str, item: &str) -> proc_macro2::TokenStream {
    main(tokens(attribute), tokens(item))
}

#[test]
fn expansions_match_their_golden_files() {
    const ALL: &str = r#"grace = "8s", quiet = "1s", grace_limit = "20s", drain = "1.5s", termination_grace_period = "1m", pre_stop = "0s",
        margin = "500ms", health = "10.0.0.1:9000", ready = "on-start", unready = "after-grace",
        liveness_heartbeat = "10s", signals = ["SIGTERM", "SIGUSR1"], init = true, flavor = "multi_thread", worker_threads = 4, max_blocking_threads = 64,
        hooks_from(libdb, libcache), crate = ::shutdown"#;
    let cases = [
        ("main_minimal", "", "async fn main() {}"),
        (
            "main_with_a_context",
            "grace = \"8s\"",
            "async fn main(ctx: graceful::Context) -> anyhow::Result<()> { serve(ctx).await }",
        ),
        (
            "main_with_every_key",
            ALL,
            "/// Docs.\n #[tracing::instrument] #[cfg(unix)] pub async fn main(_: Context) -> ExitCode { EXIT }",
        ),
        ("main_with_const_durations", "grace = GRACE, drain = seconds(2)", "async fn main() {}"),
        (
            "main_with_const_durations_beside_the_budget",
            "quiet = QUIET, grace_limit = LIMIT, liveness_heartbeat = BEAT, init = false",
            "#[cfg(unix)] async fn main() {}",
        ),
        ("main_with_health_off", "health = \"off\", flavor = \"current_thread\"", "async fn main() {}"),
        ("main_with_health_on_ipv6", "health = \"[fd00::7]:80\"", "async fn main() {}"),
        ("main_refused", "grace = \"5\", darin = \"1s\"", "async fn main(ctx: Context) -> Result<(), E> { body(ctx) }"),
        ("main_refused_under_another_name", "", "async fn run() {}"),
        ("main_refused_on_a_struct", "", "struct App;"),
    ];
    for (name, attribute, item) in cases {
        compare(name, &expand(attribute, item));
    }
}

#[test]
fn an_incomplete_body_is_emitted_unchanged() {
    for attribute in ["", "grace = 5"] {
        let expansion = expand(attribute, "async fn main(ctx: Context) { let x = ctx. ; if { } }").to_string();
        assert!(expansion.contains("{ let x = ctx . ; if { } }"), "{expansion}");
    }
}

#[test]
fn every_mistake_has_exactly_one_error() {
    const MAIN: &str = "async fn main() {}";
    for (attribute, item, count) in [
        ("grace", MAIN, 1),
        ("grace =", MAIN, 1),
        ("grace = = 3, drain = \"1s\"", MAIN, 1),
        ("grace(\"5s\")", MAIN, 1),
        ("grace = #[cfg x] \"5s\"", MAIN, 1),
        ("margin = 1, crate = #[cfg x::y + z] a", MAIN, 3),
        ("grace = \"5s\" \"6s\"", MAIN, 1),
        ("grace = \"5s\" drain = \"3s\" margin = \"1s\"", MAIN, 2),
        ("grace::x = 1", MAIN, 1),
        (", grace = \"5s\"", MAIN, 1),
        ("= 5", MAIN, 1),
        ("grace = \"5s\", grace = \"5\"", MAIN, 1),
        ("health = 8081u8, ready = true, signals = [1], flavor = 3", MAIN, 4),
        ("grace = 'a', drain = true, margin = b\"x\", pre_stop = c\"1s\"", MAIN, 4),
        // The budget is not checked if a duration has an error.
        ("grace = \"500\", drain = \"40s\"", MAIN, 1),
        ("grace_period = \"5s\", drain = \"40s\"", MAIN, 1),
        ("quiet = \"1s\"", MAIN, 1),
        ("grace_limit = \"10s\"", MAIN, 1),
        ("quiet = \"1s\", grace_limit = \"10s\"", MAIN, 0),
        ("quiet = \"1s\", grace_limit = \"5s\"", MAIN, 1),
        ("quiet = \"0s\", grace_limit = \"10s\"", MAIN, 1),
        ("quiet = 1, grace_limit = \"10s\"", MAIN, 1),
        ("quiet, grace_limit = \"10s\"", MAIN, 1),
        ("quiet_period = \"1s\", grace_limit = \"10s\"", MAIN, 1),
        ("quiet = \"1s\", max_grace = \"10s\"", MAIN, 1),
        ("quiet = \"1s\", grace_limit = \"10\"", MAIN, 1),
        ("grace = \"8\", quiet = \"1s\", grace_limit = \"8s\"", MAIN, 1),
        ("grace = LATER, quiet = \"1s\", grace_limit = \"1s\"", MAIN, 0),
        ("quiet = \"1s\", grace_limit = \"20s\"", MAIN, 1),
        // The budget does not depend on `quiet`.
        ("quiet = QUIET, grace_limit = \"20s\"", MAIN, 1),
        ("liveness_heartbeat = \"0s\", init = 1", MAIN, 2),
        ("init = INIT, liveness_heartbeat = 10", MAIN, 2),
        ("crate = a::b, hooks_from(crate, self)", MAIN, 3),
        ("", "async fn main(a: u8, b: u8, c: u8) {}", 2),
        ("", "const unsafe extern \"C\" fn main() {}", 3),
        ("", "async fn main(&self, ctx: Context) {}", 1),
        ("", "async fn main() where u8: Copy {}", 1),
        ("", "async fn main(ctx: impl Send) {}", 1),
        ("grace = \"5\"", "impl App {}", 2),
        ("", "async fn main(", 1),
    ] {
        let Ok(item) = item.parse() else { continue };
        let found = errors(&main(tokens(attribute), item));
        assert_eq!(found.len(), count, "#[main({attribute})]: {found:#?}");
        assert!(found.iter().all(|error| error.contains("help: ")), "{found:#?}");
    }
}

#[test]
fn names_of_other_frameworks_get_a_suggestion() {
    for (found, meant) in [
        ("timeout", "drain"),
        ("grace_period", "grace"),
        ("port", "health"),
        ("health_port", "health"),
        ("termination_grace_period_seconds", "termination_grace_period"),
        ("terminationGracePeriodSeconds", "termination_grace_period"),
        ("core_threads", "worker_threads"),
        ("threads", "worker_threads"),
        ("preStop", "pre_stop"),
        ("quiet_period", "quiet"),
        ("max_grace", "grace_limit"),
        ("heartbeat", "liveness_heartbeat"),
        ("watchdog", "liveness_heartbeat"),
        ("pid1", "init"),
        ("tini", "init"),
        ("Grace", "grace"),
    ] {
        let errors = errors(&expand(&format!("{found} = 1"), "async fn main() {}"));
        assert!(errors[0].contains(&format!("did you mean `{meant}`?")), "{found}: {errors:?}");
    }
}

#[test]
fn literals_of_macro_fragments_are_literals() {
    use proc_macro2::{Delimiter, Group, TokenTree};
    let fragment = TokenTree::from(Group::new(Delimiter::None, tokens("\"8s\"")));
    let item = tokens("async fn main() {}");
    let expansion = main(quote::quote!(grace = #fragment), item).to_string();
    assert!(expansion.contains("Duration :: new (8u64 , 0u32)"), "{expansion}");
}

#[test]
fn the_default_of_ready_depends_on_the_argument() {
    for (attribute, arguments, ready) in [
        ("", "", Some("OnStart")),
        ("", "ctx: Context", None),
        ("ready = \"on-serve\"", "", Some("OnServe")),
        ("ready = \"on-start\"", "ctx: Context", Some("OnStart")),
    ] {
        let expansion = expand(attribute, &format!("async fn main({arguments}) {{}}")).to_string();
        match ready {
            Some(ready) => assert!(expansion.contains(&format!("Ready :: {ready}")), "{expansion}"),
            None => assert!(!expansion.contains("Ready"), "{expansion}"),
        }
    }
}

#[test]
fn grace_limit_must_exceed_grace_and_fit_the_budget() {
    for (attribute, says, fix) in [
        (
            "grace_limit = \"4s\"",
            "`grace_limit` (4s) must be longer than `grace` (5s, the default)",
            "`grace_limit = \"10s\"`",
        ),
        ("grace = \"8s\", grace_limit = \"8s\"", "(8s) must be longer than `grace` (8s):", "`grace_limit = \"16s\"`"),
        ("grace_limit = \"25s\"", "+ grace_limit               25s", "shorten grace_limit by 6s"),
    ] {
        let errors = errors(&expand(&format!("quiet = \"1s\", {attribute}"), "async fn main() {}"));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(says) && errors[0].contains(fix), "{errors:?}");
    }
}

#[test]
fn without_the_feature_the_keys_of_files_are_refused_with_its_name() {
    let mut collected = Diagnostics::new();
    let keys = tokens("manifest = \"a.yaml\", container = \"app\", dockerfile = \"Dockerfile\"");
    let mut args = Args::parse(&MAIN, keys, &mut collected);
    Deployment::new(&mut args, false, &mut collected);
    let errors = errors(&collected.finish::<()>(None).unwrap_err());
    assert_eq!(errors.len(), 3, "{errors:?}");
    for (error, key) in errors.iter().zip(["manifest", "container", "dockerfile"]) {
        assert!(error.starts_with(&format!("`{key}` needs the feature `manifest` of graceful-rt")), "{error}");
        assert!(error.contains("features = [\"manifest\"]"), "{error}");
    }
}

#[cfg(feature = "manifest")]
mod manifests {
    use super::{errors, expand};

    #[test]
    fn each_finding_of_severity_error_is_an_error_with_its_place() {
        let folder = "../deploy/tests/manifests";
        for (attribute, expected) in [
            ("27-ours.yaml\", container = \"app", &[][..]),
            // Warnings and hints are no errors.
            ("20-takes-all.yaml", &[]),
            // With a const duration, the rules of the termination wait for the generated test.
            (
                "29-ours-drifted.yaml\", grace = \"5s",
                &["29-ours-drifted.yaml:10:", "29-ours-drifted.yaml:16:", ":18:", ":19:", ":20:"],
            ),
        ] {
            let attribute = format!("manifest = \"{folder}/{attribute}\"");
            let expansion = expand(&attribute, "async fn main() {}");
            let errors = errors(&expansion);
            assert_eq!(errors.len(), expected.len(), "{attribute}: {errors:#?}");
            assert!(errors.iter().zip(expected).all(|(error, part)| error.contains(part)), "{errors:#?}");
            let text = expansion.to_string();
            assert!(text.contains("include_bytes") && text.contains("assert_deployment"), "{text}");
            assert_eq!(text.matches("cfg (not (doc))").count(), errors.len() + 1, "{text}");
        }
        let attribute = format!("manifest = \"{folder}/29-ours-drifted.yaml\", grace = GRACE");
        assert_eq!(errors(&expand(&attribute, "async fn main() {}")).len(), 3);
    }

    #[test]
    fn paths_are_relative_and_of_files_that_exist() {
        for (attribute, said) in [
            ("manifest = \"nowhere.yaml\"", "the file `nowhere.yaml` can't be read"),
            ("manifest = \"/etc/hosts\"", "this path is absolute"),
            ("manifest = []", "names no file"),
            ("manifest = \"\"", "is empty"),
            ("manifest = 3", "takes a string"),
            ("manifest = [PATH]", "takes a string literal"),
            ("container = \"app\"", "no effect without `manifest`"),
            ("dockerfile = \"Cargo.toml\"", "no `FROM`"),
        ] {
            let errors = errors(&expand(attribute, "async fn main() {}"));
            assert!(errors.len() == 1 && errors[0].contains(said) && errors[0].contains("help: "), "{errors:?}");
        }
    }
}
