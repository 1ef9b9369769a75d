//! The attributes accept the cases in `pass` and reject those in `fail` with the errors in the `.stderr` files.
//!
//! With the feature `manifest`, so do those in `manifest/pass` and `manifest/fail`, with the files in `manifest/deploy`.
//!
//! `TRYBUILD=overwrite cargo test -p graceful-trybuild --all-features` regenerates the `.stderr` files. Review them before committing.

#[test]
fn cases_compile_or_fail_as_expected() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
    #[cfg(feature = "manifest")]
    {
        copy_files();
        cases.pass("manifest/pass/*.rs");
        cases.compile_fail("manifest/fail/*.rs");
    }
}

/// Copies the files that the cases name into the package that trybuild makes, to which their paths are relative.
#[cfg(feature = "manifest")]
fn copy_files() {
    use std::{fs, path::Path};
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder stands in the target folder");
    let package = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("deploy");
    fs::create_dir_all(&package).expect("the target folder is writable");
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifest/deploy");
    for file in fs::read_dir(files).expect("the folder exists") {
        let file = file.expect("the folder is readable");
        fs::copy(file.path(), package.join(file.file_name())).expect("the target folder is writable");
    }
}
