//! What the attributes accept, and what they say when they refuse.
//!
//! `TRYBUILD=overwrite cargo test -p graceful-trybuild` writes the `.stderr` files anew; read them before they go in.

#[test]
fn what_is_accepted_and_what_is_refused() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
