//! Runs every rule over manifests and a Dockerfile.

use crate::{
    dockerfile::Dockerfile,
    documents::{Manifest, Objects, Workload},
    facts::Facts,
    finding::{Finding, Findings},
    rule::{Needs, Rule},
    rules::{probes, rollout, signals, termination},
    silence::Silence,
    source::Source,
    subject::Subject,
    table::{self, files},
    yaml::Node,
};

/// What to check: manifests, and what is known besides them.
///
/// ```
/// use graceful_deploy::{Check, Dockerfile, Facts, Manifest};
/// let manifests = [Manifest::parse("app.yaml", "kind: Pod\nspec:\n  terminationGracePeriodSeconds: 20\n  containers: [{name: app}]\n").unwrap()];
/// let dockerfile = Dockerfile::parse("Dockerfile", "FROM scratch\nENTRYPOINT [\"/app\"]\n").unwrap();
/// let facts = Facts::new(graceful_plan::Plan::DEFAULT);
/// let findings = Check::new(&manifests).facts(&facts).container("app").dockerfile(&dockerfile).run();
/// assert_eq!(findings.len(), 1);
/// assert_eq!(
///     findings[0].to_string(),
///     "app.yaml:3:34: error: terminationGracePeriodSeconds is 20, and the plan takes 30s; \
///      write `terminationGracePeriodSeconds: 30`, or set termination_grace_period = \"20s\" in the program \
///      [termination-grace-period-too-short]"
/// );
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    manifests: &'a [Manifest],
    facts: Option<&'a Facts>,
    container: Option<&'a str>,
    dockerfile: Option<&'a Dockerfile>,
}

impl<'a> Check<'a> {
    /// These manifests, by the rules that need nothing else.
    ///
    /// ```
    /// assert!(graceful_deploy::Check::new(&[]).run().is_empty());
    /// ```
    pub fn new(manifests: &'a [Manifest]) -> Self {
        Self { manifests, facts: None, container: None, dockerfile: None }
    }

    /// With the facts of the program, so that every rule is checked.
    ///
    /// ```
    /// use graceful_deploy::{Check, Facts};
    /// let facts = Facts::new(graceful_plan::Plan::DEFAULT);
    /// let findings = Check::new(&[]).facts(&facts).run();
    /// assert_eq!(findings[0].rule.id, "container-not-found");
    /// ```
    #[must_use]
    pub fn facts(self, facts: &'a Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// The program's container. Workloads without a container of this name are not checked; if no workload has it, that is
    /// a finding. Default: the annotated one (`kubectl.kubernetes.io/default-container`), the only one, one of the
    /// workload's name, or the first.
    ///
    /// ```
    /// use graceful_deploy::{Check, Manifest};
    /// let manifests = [Manifest::parse("a", "kind: Pod\nspec: {shareProcessNamespace: true, containers: [{name: app}]}").unwrap()];
    /// assert_eq!(Check::new(&manifests).container("app").run().len(), 1);
    /// ```
    #[must_use]
    pub fn container(self, name: &'a str) -> Self {
        Self { container: Some(name), ..self }
    }

    /// The Dockerfile of the container's image.
    ///
    /// ```
    /// use graceful_deploy::{Check, Dockerfile};
    /// let dockerfile = Dockerfile::parse("Dockerfile", "FROM debian\nCMD /app\n").unwrap();
    /// assert_eq!(Check::new(&[]).dockerfile(&dockerfile).run()[0].rule.id, "dockerfile-shell-form");
    /// ```
    #[must_use]
    pub fn dockerfile(self, dockerfile: &'a Dockerfile) -> Self {
        Self { dockerfile: Some(dockerfile), ..self }
    }

    /// The rules that are skipped, because the program is not known.
    ///
    /// ```
    /// let mut skipped = graceful_deploy::Check::new(&[]).skipped();
    /// assert!(skipped.any(|rule| rule.id == "termination-grace-period-too-short"));
    /// ```
    pub fn skipped(&self) -> impl Iterator<Item = &'static Rule> + use<> {
        let (knows_program, names_container) = (self.facts.is_some(), self.container.is_some());
        let is_checked = move |rule: &Rule| knows_program || (names_container && rule.id == files::NO_CONTAINER.id);
        table::rules().filter(move |rule| rule.needs == Needs::Program && !is_checked(rule))
    }

    /// The findings, in the order of the files, by line and column. The same input gives the same findings.
    pub fn run(self) -> Vec<Finding> {
        let mut findings = Findings::default();
        let subjects = self.subjects(&mut findings);
        if let Some(dockerfile) = self.dockerfile.filter(|_| subjects.is_empty()) {
            signals::check_image(dockerfile, self.facts, &mut findings);
        }
        for subject in &subjects {
            termination::check(subject, &mut findings);
            probes::check(subject, &mut findings);
            signals::check(subject, &mut findings);
            rollout::check(subject, &mut findings);
        }
        self.silence(&mut findings);
        let mut files: Vec<&str> = self.manifests.iter().map(Manifest::name).collect();
        files.extend(self.dockerfile.map(Dockerfile::name));
        findings.sorted(&files)
    }

    /// The containers to check, one of each workload.
    fn subjects(&self, findings: &mut Findings) -> Vec<Subject<'a>> {
        let objects = Objects(self.manifests);
        let pick = |workload: Workload<'a>| match self.container {
            Some(wanted) => workload.containers().find(|(_, name)| *name == Some(wanted)).map(|(node, _)| node),
            None => workload.main_container(),
        };
        let found: Vec<_> = objects.workloads().filter_map(|workload| Some((workload, pick(workload)?))).collect();
        let is_image_alone = self.manifests.is_empty() && self.dockerfile.is_some();
        let is_expected = self.facts.is_some() || self.container.is_some();
        if is_expected && found.is_empty() && !is_image_alone {
            self.not_found(findings);
        }
        if let (Some(_), None, [_, (second, container), ..]) = (self.facts, self.container, &found[..]) {
            let names: Vec<_> = found.iter().filter_map(|(_, node)| node.get("name")?.text()).collect();
            findings.add(
                &files::AMBIGUOUS,
                (&second.manifest.source, &container.get("name").unwrap_or(container).at),
                "several workloads could run the program",
                format!("name its container, one of {}", names.join(", ")),
            );
            return Vec::new();
        }
        let subject = |(workload, container): (Workload<'a>, &'a Node)| Subject {
            facts: self.facts,
            plan: self.facts.map(|facts| termination::overridden(facts.plan, container)),
            workload,
            container,
            objects,
            dockerfile: self.dockerfile,
        };
        found.into_iter().map(subject).collect()
    }

    fn not_found(&self, findings: &mut Findings) {
        let mut names: Vec<&str> = self.manifests.iter().flat_map(Manifest::containers).collect();
        names.dedup();
        let problem = match self.container {
            Some(wanted) => format!("no workload in the files has a container named {wanted}"),
            None => "the files have no workload".to_owned(),
        };
        let fix = if names.is_empty() {
            "pass the manifest of the Deployment, StatefulSet or other workload that runs the program".to_owned()
        } else {
            format!("the containers are {}", names.join(", "))
        };
        match self.manifests.iter().find_map(|manifest| Some((manifest, manifest.documents.first()?))) {
            Some((manifest, first)) => {
                let at = &first.get("kind").unwrap_or(first).at;
                findings.add(&files::NO_CONTAINER, (&manifest.source, at), problem, fix);
            }
            None => {
                if let Ok(nothing) = Source::new("-", "") {
                    findings.add(&files::NO_CONTAINER, (&nothing, &nothing.at(0..0)), problem, fix);
                }
            }
        }
    }

    /// Removes what comments allow, and reports comments that allow nothing.
    fn silence(&self, findings: &mut Findings) {
        let of_manifests = self.manifests.iter().map(|manifest| (&manifest.source, &manifest.silences));
        let of_dockerfile = self.dockerfile.map(|dockerfile| (&dockerfile.source, &dockerfile.silences));
        for (source, silences) in of_manifests.chain(of_dockerfile) {
            let mut used: Vec<(usize, &'static str)> = Vec::new();
            findings.remove(|finding| {
                let by = silences
                    .iter()
                    .position(|silence| finding.file == *source.name && silence.covers(finding.rule.id, finding.line));
                used.extend(by.map(|by| (by, finding.rule.id)));
                by.is_some()
            });
            for (at, silence) in silences.iter().enumerate() {
                let is_used = |name: &str| used.iter().any(|(by, id)| *by == at && *id == name);
                self.report(source, silence, is_used, findings);
            }
        }
    }

    fn report(&self, source: &Source, silence: &Silence, is_used: impl Fn(&str) -> bool, findings: &mut Findings) {
        let place = (source, &silence.at);
        let rules = match &silence.allows {
            Ok(rules) => rules,
            Err(problem) => {
                let fix = "write `graceful: allow(RULE) because REASON`";
                findings.add(&files::ALLOW_MALFORMED, place, *problem, fix);
                return;
            }
        };
        for name in silence.unknown() {
            let fix = match table::similar_rule(name) {
                Some(rule) => format!("write {}", rule.id),
                None => "write the id of a rule, as in the brackets of its finding".to_owned(),
            };
            findings.add(&files::ALLOW_UNKNOWN, place, format!("there is no rule {name}"), fix);
        }
        for name in rules.iter().filter(|name| !is_used(name) && table::rule(name).is_some()) {
            if !self.skipped().any(|rule| rule.id == name) {
                let problem = format!("line {} has no finding of the rule {name}", silence.line);
                findings.add(&files::ALLOW_UNUSED, place, problem, "remove the comment, or move it to the finding");
            }
        }
    }
}
