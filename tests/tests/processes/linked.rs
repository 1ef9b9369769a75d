//! The printed plan and the hooks of a second crate in the current build. `linking.rs` tests other profiles.

use crate::{hooks_app, serve};
use graceful_tests::App;
use serde_json::Value;

fn plan(app: App) -> Value {
    let ended = app.env("GRACEFUL_PRINT", "plan").run();
    ended.with_code(0);
    assert_eq!(ended.stderr, "", "only the plan is printed");
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.all()))
}

fn names(plan: &Value) -> Vec<(&str, &str)> {
    let hooks = plan["hooks"].as_array().unwrap();
    hooks.iter().map(|hook| (hook["crate"].as_str().unwrap(), hook["name"].as_str().unwrap())).collect()
}

const SECOND: &str = "graceful-tests-second";

#[test]
fn the_printed_plan_lists_every_setting_and_runs_nothing() {
    let plan = plan(hooks_app().env("GRACEFUL_PRE_STOP", "1500ms").env("GRACEFUL_UNREADY", "after-grace"));
    for (key, value) in [
        ("package", "graceful-tests"),
        ("grace", "200ms"),
        ("drain", "2s"),
        ("termination_grace_period", "30s"),
        ("pre_stop", "1.5s"),
        ("margin", "1s"),
        ("health", "127.0.0.1:0"),
        ("ready", "on-serve"),
        ("unready", "after-grace"),
        ("needed", "16.7s"),
        ("left", "13.3s"),
    ] {
        assert_eq!(plan[key], value, "{key} in {plan:#}");
    }
    assert_eq!(plan["signals"].as_array().unwrap(), &["SIGINT", "SIGTERM"], "{plan:#}");
    assert!(plan["grpc_health"].is_boolean(), "{plan:#}");
}

#[test]
fn the_printed_plan_lists_every_hook_with_location_order_and_timeout() {
    let plan = plan(hooks_app());
    let hooks = plan["hooks"].as_array().unwrap();
    let orders: Vec<_> = hooks.iter().map(|hook| hook["order"].as_i64().unwrap()).collect();
    assert_eq!(orders, [-1, 1, 2, 2, 3, 4, 9]);
    let flush = &hooks[1];
    assert_eq!((&flush["name"], &flush["timeout"]), (&"flush".into(), &"1s".into()));
    assert_eq!((&flush["crate"], &flush["module"]), (&"graceful-tests".into(), &"hooks_app".into()));
    assert!(flush["file"].as_str().unwrap().ends_with("src/bin/hooks_app.rs") && flush["line"].as_u64() > Some(1));
    assert_eq!(hooks[6]["timeout"], Value::Null);
}

#[test]
fn hooks_of_a_second_crate_are_linked_by_the_attribute() {
    let plan = plan(App::new(env!("CARGO_BIN_EXE_linked_by_attribute")));
    assert_eq!(names(&plan), [(SECOND, "close_the_cache"), ("graceful-tests", "own"), (SECOND, "close the pool")]);
}

#[test]
fn hooks_of_a_second_crate_are_linked_by_a_use() {
    let plan = plan(App::new(env!("CARGO_BIN_EXE_linked_by_use")));
    assert_eq!(names(&plan), [(SECOND, "close_the_cache"), (SECOND, "close the pool")]);
}

#[test]
fn hooks_of_two_crates_run_in_one_sequence() {
    let ended = App::new(env!("CARGO_BIN_EXE_linked_by_attribute")).run();
    ended.with_code(0);
    ended.prints_in_order(&["the cache is closed", "the app's own hook has run", "the pool is closed"]);
    ended.logs_in_order(&["3 shutdown hooks linked", "hook -5 close_the_cache (graceful-tests-second "]);
}

#[test]
fn hooks_of_a_crate_that_no_code_names_are_not_linked() {
    assert_eq!(names(&plan(serve())), [("graceful-tests", "last_words")]);
}
