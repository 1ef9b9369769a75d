//! The hostile crate compiles, links its hooks and shuts down.

use graceful_tests::{App, Signal};
use serde_json::Value;

fn hostile() -> App {
    App::new(env!("CARGO_BIN_EXE_hostile"))
}

#[test]
fn the_plan_lists_every_hook() {
    let ended = hostile().env("GRACEFUL_PRINT", "plan").run();
    let plan: Value = serde_json::from_str(&ended.with_code(0).stdout).expect("the plan is JSON");
    let names: Vec<_> = plan["hooks"].as_array().expect("a list").iter().map(|hook| &hook["name"]).collect();
    assert_eq!(names, ["sync", "asynchronous", "with everything", "fallible"]);
    assert_eq!(plan["hooks"][2]["module"], "hostile::hooks");
}

#[test]
fn every_hook_runs_in_order() {
    let app = hostile().start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0).prints_in_order(&[
        "hostile sync",
        "hostile asynchronous",
        "hostile pool of 7 after SIGTERM",
        "hostile fallible",
    ]);
}
