//! The attributes accept the cases in `pass` and reject those in `fail` with the errors in the `.stderr` files.
//!
//! `TRYBUILD=overwrite cargo test -p graceful-trybuild` regenerates the `.stderr` files. Review them before committing.

#[test]
fn cases_compile_or_fail_as_expected() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
