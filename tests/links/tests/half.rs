//! The fast half of the configurations.

use graceful_links::{configuration::HALF, programs};

/// One test, because the builds share a directory.
#[test]
fn what_is_linked_is_what_was_written() {
    let mut problems = Vec::new();
    for configuration in &HALF {
        if let Err(problem) = programs::check_linked(configuration) {
            problems.push(format!("{}: {problem}", configuration.name));
        }
    }
    for check in [programs::check_unnamed, programs::check_plugin] {
        problems.extend(check(&HALF[0]).err());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
