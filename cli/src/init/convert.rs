//! The steps of a conversion, in order.

use super::{
    axum, imports,
    main_fn::{self, Main},
    manifest::{self, Origin},
    notes,
    package::Package,
    servers::{self, Chain, Conversion, Verdict},
    source::{Source, range},
    step::{Action, Edit, Step},
    survey::Survey,
    tonic,
};
use crate::exit_code::{ExitCode, Failure};
use std::collections::BTreeSet;

/// What a binary's conversion takes.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Whether `main` is under `#[graceful::main]` already.
    pub(crate) is_converted: bool,
}

/// A binary to convert.
pub(crate) struct Binary<'a> {
    pub(crate) package: &'a Package,
    /// The root file and the modules. The manifest is the file after the last one.
    pub(crate) sources: &'a [Source],
    pub(crate) manifest_name: &'a str,
    pub(crate) manifest: &'a str,
    pub(crate) origin: Origin,
}

/// Why a mechanical step waits for `main`.
const MAIN_FIRST: &str = "once `main` is under `#[graceful::main]`, run `cargo graceful init` again: then this step is \
                          mechanical";

/// Makes the steps of a binary.
///
/// # Errors
/// The root file has no `main`, or the manifest is not known.
pub(crate) fn plan(binary: &Binary<'_>) -> Result<Plan, Failure> {
    let wrong = |message: String| Failure::new(ExitCode::Input, message);
    let survey = Survey::new(binary.sources);
    let root = &binary.sources[0];
    let Some(function) = survey.main() else {
        return Err(wrong(format!("{}: there is no function `main` to convert", root.name)));
    };
    if binary.package.has_other_graceful() {
        let message = format!(
            "{} depends on another package under the name `graceful`; depend on graceful-rt under a name of your own \
             first, such as `shutdown = {{ package = \"graceful-rt\", .. }}`",
            binary.package.name
        );
        return Err(wrong(message));
    }
    let library = binary.package.library().unwrap_or_else(|| "graceful".to_owned());
    let main = main_fn::check(&survey, function, &library);
    let (can_serve, is_converted) = (!matches!(main, Main::ByHand(..)), matches!(main, Main::Converted));

    let mut work = Work::new(&survey, binary.package, &library);
    for chain in servers::chains(&survey) {
        work.server(&chain, can_serve);
    }
    work.unhandled();
    let signals: BTreeSet<_> =
        work.conversions.iter().flat_map(|one| &one.waits).flat_map(|wait| wait.signals.iter().copied()).collect();

    let mut steps = Vec::new();
    steps.extend(library_step(binary, &work.features)?);
    let at = root.place(range(&function.sig).start);
    match main {
        Main::Converted => {}
        Main::ByHand(title, instead) => {
            steps.push(Step { place: at, title, why: MAIN_WHY.to_owned(), action: Action::ByHand(instead) })
        }
        Main::Tokio { attribute, keys } => {
            let (place, serves) = (root.place(attribute.start), !work.conversions.is_empty());
            let edit = main_fn::edit(attribute, keys, &library, serves, &signals);
            work.edits.push(edit.clone());
            let ready = if serves { "" } else { ". /readyz is 200 from the start, as long as `main` takes no context" };
            steps.push(Step {
                place,
                title: "`#[tokio::main]` becomes `#[graceful::main]`".to_owned(),
                why: format!("{MAIN_WHY}{ready}"),
                action: Action::Mechanical(vec![edit]),
            });
        }
    }
    steps.append(&mut work.mechanical);
    steps.extend(work.unused());
    steps.append(&mut work.by_hand);
    let server = work.server_in_main;
    steps.extend(server.and_then(|at| notes::cleanup(root, function, at)));
    steps.extend(notes::steps(&survey, &work.edits));
    Ok(Plan { steps, is_converted })
}

const MAIN_WHY: &str = "`#[graceful::main]` handles SIGTERM and SIGINT, serves on for 5s (`grace`), waits up to 10s for what is in flight \
                        (`drain`), runs the hooks, and responds to probes on port 8081 (`health`)";

/// The step of the manifest, if it lacks something.
fn library_step(binary: &Binary<'_>, features: &BTreeSet<&'static str>) -> Result<Option<Step>, Failure> {
    let features: Vec<_> = features.iter().copied().collect();
    let (name, text) = (binary.manifest_name, binary.manifest);
    let new = manifest::with_library(text, &features, &binary.origin)
        .map_err(|error| Failure::new(ExitCode::Input, format!("{name}: {error}")))?;
    if new == text {
        return Ok(None);
    }
    let line = text.lines().zip(new.lines()).take_while(|(old, new)| old == new).count() + 1;
    let features = match &features[..] {
        [] => String::new(),
        features => format!(", with the features of its servers: {}", features.join(", ")),
    };
    let note = if binary.package.library().is_some() { String::new() } else { binary.origin.note() };
    let why = format!("the library of the attributes{features}{note}");
    Ok(Some(Step {
        place: format!("{name}:{line}"),
        title: "the dependency on `graceful`".to_owned(),
        why,
        action: Action::Mechanical(vec![Edit::new(binary.sources.len(), 0..text.len(), new)]),
    }))
}

/// What is found while the steps are made.
struct Work<'s, 'a> {
    survey: &'s Survey<'a>,
    package: &'s Package,
    library: &'s str,
    conversions: Vec<Conversion>,
    features: BTreeSet<&'static str>,
    mechanical: Vec<Step>,
    by_hand: Vec<Step>,
    /// Everything that changes in the sources.
    edits: Vec<Edit>,
    /// The ranges of servers that have a step, or need none.
    seen: Vec<(usize, std::ops::Range<usize>)>,
    /// Where `main` awaits its server.
    server_in_main: Option<usize>,
}

impl<'s, 'a> Work<'s, 'a> {
    fn new(survey: &'s Survey<'a>, package: &'s Package, library: &'s str) -> Self {
        Self {
            survey,
            package,
            library,
            conversions: vec![],
            features: BTreeSet::new(),
            mechanical: vec![],
            by_hand: vec![],
            edits: vec![],
            seen: vec![],
            server_in_main: None,
        }
    }

    /// The step of a chain, if the chain is a server.
    fn server(&mut self, chain: &Chain<'_>, can_serve: bool) {
        let is_axum = chain.function == "axum::serve";
        let (verdict, feature, title) = if is_axum {
            let verdict = match self.package.depends_on("axum", "0.8") {
                true => axum::check(self.survey, chain, self.library),
                false => Verdict::ByHand("`graceful::axum` takes routers of axum 0.8".to_owned(), axum::INSTEAD),
            };
            (verdict, "axum", "`axum::serve` becomes `graceful::axum::serve`")
        } else if tonic::is_server(chain) {
            let verdict = match self.package.depends_on("tonic", "0.14") {
                true => tonic::check(self.survey, chain, self.library),
                false => Verdict::ByHand("`graceful::tonic` takes services of tonic 0.14".to_owned(), tonic::INSTEAD),
            };
            (verdict, "tonic", "tonic's server becomes `graceful::tonic::serve`")
        } else {
            if chain.is_in_main && chain.function.starts_with(&format!("{}::", self.library)) {
                self.server_in_main = self.server_in_main.max(Some(chain.range.start));
            }
            return;
        };
        self.seen.push((chain.file, chain.range.clone()));
        if chain.is_in_main {
            self.server_in_main = self.server_in_main.max(Some(chain.range.start));
        }
        let place = self.survey.sources[chain.file].place(chain.range.start);
        match verdict {
            Verdict::Fine => {}
            Verdict::Converts(conversion) => {
                self.features.insert(feature);
                let action = match can_serve {
                    true => Action::Mechanical(conversion.edits.clone()),
                    false => Action::ByHand(MAIN_FIRST.to_owned()),
                };
                let why = "it turns ready once it serves, keeps serving while load balancers remove the pod, asks clients \
                           to reconnect, empties the accept queue and returns after the drain";
                let step = Step { place, title: title.to_owned(), why: why.to_owned(), action };
                match can_serve {
                    true => {
                        self.edits.extend(conversion.edits.iter().cloned());
                        self.conversions.push(conversion);
                        self.mechanical.push(step);
                    }
                    false => self.by_hand.push(step),
                }
            }
            Verdict::ByHand(why, instead) => self.by_hand.push(Step {
                place,
                title: format!("a server of {feature} that is not converted"),
                why,
                action: Action::ByHand(instead.to_owned()),
            }),
        }
    }

    /// Servers that are not awaited where they are made: in a macro, in a variable, as the argument of a task.
    fn unhandled(&mut self) {
        for (file, source) in self.survey.sources.iter().enumerate() {
            let imports_serve = self.survey.import(file, "serve") == Some("axum::serve");
            for (number, token) in source.tokens.iter().enumerate() {
                let at = token.range.start;
                let text = |offset: usize| source.tokens.get(number + offset).map_or("", |token| token.text.as_str());
                let before = number.checked_sub(1).and_then(|number| source.tokens.get(number));
                let is_path = text(0) == "axum" && text(1) == "::" && text(2) == "serve" && text(3) == "(";
                let is_name = imports_serve && text(0) == "serve" && text(1) == "(";
                let is_part = before.is_some_and(|token| matches!(token.text.as_str(), "::" | "." | "fn"));
                let is_seen = self.seen.iter().any(|(of, range)| *of == file && range.contains(&at));
                if (is_path || is_name) && !is_part && !is_seen && !self.survey.is_test(file, at) {
                    self.by_hand.push(Step {
                        place: source.place(at),
                        title: "a server of axum that is not converted".to_owned(),
                        why: "it is not awaited where it is made: a task, a variable or a `select!` holds it"
                            .to_owned(),
                        action: Action::ByHand(format!("{}. A port for metrics may stay as it is", axum::INSTEAD)),
                    });
                }
            }
        }
    }

    /// The steps that remove what the other steps leave unused.
    fn unused(&mut self) -> Vec<Step> {
        let (survey, mut steps) = (self.survey, Vec::new());
        let shares_files = self.package.has_library || self.package.binaries.len() > 1;
        for unused in imports::functions(survey, &self.conversions, shares_files) {
            let why = "it only waited for signals, and nothing else calls it".to_owned();
            self.edits.extend(unused.edit.iter().cloned());
            let by_hand = || Action::ByHand("remove it, unless another target of the package uses the file".to_owned());
            steps.push(Step {
                place: survey.sources[unused.file].place(unused.at),
                title: format!("`{}` is unused", unused.name),
                why,
                action: unused.edit.map_or_else(by_hand, |edit| Action::Mechanical(vec![edit])),
            });
        }
        let (removals, doubtful) = imports::imports(survey, &self.edits);
        if let Some(first) = removals.first() {
            steps.push(Step {
                place: survey.sources[first.file].place(first.range.start),
                title: "imports that are unused".to_owned(),
                why: "only the code that is replaced used them".to_owned(),
                action: Action::Mechanical(removals.clone()),
            });
        }
        self.edits.extend(removals);
        for (file, at, names) in doubtful {
            steps.push(Step {
                place: survey.sources[file].place(at),
                title: format!("the import of `{names}` may be unused"),
                why: "another file may use it through this module, or a comment stands in it".to_owned(),
                action: Action::ByHand("remove it if the compiler warns".to_owned()),
            });
        }
        steps
    }
}
