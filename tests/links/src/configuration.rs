//! The configurations: a profile, and options of the linker.

/// How the programs are built.
#[derive(Debug, Clone, Copy)]
pub struct Configuration {
    /// Its name in the table.
    pub name: &'static str,
    /// Whether the profile is `release`; otherwise it is `dev`.
    pub release: bool,
    /// The target, if it is not the host. rustup installs its standard library.
    pub target: Option<&'static str>,
    /// Settings of the release profile by their environment variables, without `CARGO_PROFILE_RELEASE_`.
    pub profile: &'static [(&'static str, &'static str)],
    /// Options of rustc for the program alone.
    pub rustc: &'static [&'static str],
    /// What the program contains, so that the configuration is known to have had its effect.
    pub evidence: Evidence,
}

impl Configuration {
    /// Whether the program contains the C library.
    pub fn is_static(&self) -> bool {
        self.evidence.absent.contains(&INTERPRETER)
    }
}

/// Texts in an executable that show how it was linked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evidence {
    /// The program contains all of these.
    pub present: &'static [&'static str],
    /// The program contains none of these.
    pub absent: &'static [&'static str],
}

/// Distributions put their name before it: `Linker: Debian LLD 14.0.6`.
const LLD: &str = "LLD ";
const MOLD: &str = "mold ";
/// The path of the dynamic linker, which a static program lacks.
const INTERPRETER: &str = "/lib64/ld-linux";
const SYMBOLS: &str = ".symtab";

/// Compiles fast: a release build whose optimizations are cheap.
const FAST: &[(&str, &str)] = &[("OPT_LEVEL", "1"), ("DEBUG", "0")];
const FAST_FAT: &[(&str, &str)] = &[("OPT_LEVEL", "1"), ("DEBUG", "0"), ("LTO", "fat")];

const HOST: Configuration = Configuration {
    name: "",
    release: true,
    target: None,
    profile: &[],
    rustc: &[],
    evidence: Evidence { present: &[INTERPRETER, SYMBOLS], absent: &[] },
};

/// rustc links with its own copy of lld here unless it is told otherwise.
const BFD: &[&str] = &["-Clinker-features=-lld", "-Clink-arg=-fuse-ld=bfd"];
const LINKED_BY_LLD: Evidence = Evidence { present: &[LLD], absent: &[MOLD] };
const LINKED_BY_MOLD: Evidence = Evidence { present: &[MOLD], absent: &[LLD] };
const LINKED_BY_BFD: Evidence = Evidence { present: &[INTERPRETER], absent: &[LLD, MOLD] };
const STATIC: Evidence = Evidence { present: &[], absent: &[INTERPRETER] };
const STRIPPED: Evidence = Evidence { present: &[INTERPRETER], absent: &[SYMBOLS] };

/// What `cargo test` builds: two sets of dependencies, which `tests/tests/linking.rs` uses, too.
pub const HALF: [Configuration; 5] = [
    Configuration { name: "release", profile: FAST, ..HOST },
    Configuration { name: "release, fat LTO", profile: FAST_FAT, ..HOST },
    Configuration { name: "release, GNU ld (bfd)", profile: FAST, rustc: BFD, evidence: LINKED_BY_BFD, ..HOST },
    Configuration { name: "release, lld", profile: FAST, rustc: &[], evidence: LINKED_BY_LLD, ..HOST },
    Configuration {
        name: "release, static glibc",
        profile: FAST,
        rustc: &["-Ctarget-feature=+crt-static"],
        evidence: STATIC,
        ..HOST
    },
];

const NO_LTO: &[(&str, &str)] = &[("LTO", "off")];
const THIN: &[(&str, &str)] = &[("LTO", "thin")];
const FAT: &[(&str, &str)] = &[("LTO", "fat")];
const ONE_UNIT: &[(&str, &str)] = &[("LTO", "thin"), ("CODEGEN_UNITS", "1")];
const SMALL: &[(&str, &str)] =
    &[("OPT_LEVEL", "z"), ("LTO", "fat"), ("CODEGEN_UNITS", "1"), ("STRIP", "symbols"), ("PANIC", "abort")];

/// What the command builds.
pub const ALL: [Configuration; 18] = [
    Configuration { name: "debug", release: false, ..HOST },
    Configuration { name: "release, no LTO", profile: NO_LTO, ..HOST },
    Configuration { name: "release, thin LTO", profile: THIN, ..HOST },
    Configuration { name: "release, fat LTO", profile: FAT, ..HOST },
    Configuration { name: "release, thin LTO, codegen-units=1", profile: ONE_UNIT, ..HOST },
    Configuration {
        name: "z, fat LTO, codegen-units=1, strip, panic=abort",
        profile: SMALL,
        evidence: STRIPPED,
        ..HOST
    },
    Configuration { name: "no LTO, GNU ld (bfd)", profile: NO_LTO, rustc: BFD, evidence: LINKED_BY_BFD, ..HOST },
    Configuration { name: "fat LTO, GNU ld (bfd)", profile: FAT, rustc: BFD, evidence: LINKED_BY_BFD, ..HOST },
    Configuration { name: "small, GNU ld (bfd)", profile: SMALL, rustc: BFD, evidence: LINKED_BY_BFD, ..HOST },
    Configuration { name: "no LTO, rustc's lld", profile: NO_LTO, evidence: LINKED_BY_LLD, ..HOST },
    Configuration {
        name: "no LTO, the system's lld",
        profile: NO_LTO,
        rustc: SYSTEM_LLD,
        evidence: LINKED_BY_LLD,
        ..HOST
    },
    Configuration { name: "no LTO, mold", profile: NO_LTO, rustc: MOLD_ONLY, evidence: LINKED_BY_MOLD, ..HOST },
    Configuration { name: "fat LTO, mold", profile: FAT, rustc: MOLD_ONLY, evidence: LINKED_BY_MOLD, ..HOST },
    Configuration { name: "no LTO, static glibc", profile: NO_LTO, rustc: CRT_STATIC, evidence: STATIC, ..HOST },
    Configuration { name: "fat LTO, static glibc", profile: FAT, rustc: CRT_STATIC, evidence: STATIC, ..HOST },
    Configuration { name: "no LTO, static glibc, no PIE", profile: NO_LTO, rustc: NO_PIE, evidence: STATIC, ..HOST },
    Configuration { name: "no LTO, static musl", target: MUSL, profile: NO_LTO, evidence: STATIC, ..HOST },
    Configuration { name: "small, static musl", target: MUSL, profile: SMALL, evidence: STATIC, ..HOST },
];

const MUSL: Option<&str> = Some("x86_64-unknown-linux-musl");
const SYSTEM_LLD: &[&str] = &["-Clinker-features=-lld", "-Clink-arg=-fuse-ld=lld"];
const MOLD_ONLY: &[&str] = &["-Clinker-features=-lld", "-Clink-arg=-fuse-ld=mold"];
const CRT_STATIC: &[&str] = &["-Ctarget-feature=+crt-static"];
const NO_PIE: &[&str] = &["-Ctarget-feature=+crt-static", "-Crelocation-model=static"];
