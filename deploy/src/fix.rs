//! Applies the mechanical fixes of findings to the texts of files.

use crate::{
    check::Check,
    dockerfile::Dockerfile,
    documents::Manifest,
    edit::Edit,
    facts::Facts,
    finding::Finding,
    source::Unreadable,
    yaml::{Node, Value},
};
use std::collections::{BTreeMap, HashMap};

/// How many edits follow from the first one, such as a path that the new port does not serve.
const LONGEST_CHAIN: usize = 8;
/// How many fixes are tried one by one. Each try reads the files again.
const MOST_TRIES: usize = 256;

/// Files, and what is known besides them, to fix mechanically.
///
/// ```
/// use graceful_deploy::{Facts, Fix};
/// use graceful_plan::Plan;
/// let text = "kind: Pod\nspec:\n  terminationGracePeriodSeconds: 20 # enough?\n  containers: [{name: app}]\n";
/// let facts = Facts::new(Plan::DEFAULT);
/// let fixed = Fix::new().manifest("app.yaml", text).facts(&facts).run().unwrap();
/// assert_eq!(fixed.texts[0].1, text.replace("20", "30"));
/// assert_eq!((fixed.fixed.len(), fixed.left.len()), (1, 0));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fix<'a> {
    manifests: Vec<(&'a str, &'a str)>,
    dockerfile: Option<(&'a str, &'a str)>,
    facts: Option<&'a Facts>,
    container: Option<&'a str>,
}

/// The fixed files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fixed {
    /// The name and the new text of each file that changes.
    pub texts: Vec<(String, String)>,
    /// The findings that are fixed, each with its place at the time of its fix.
    pub fixed: Vec<Finding>,
    /// The findings of the new texts.
    pub left: Vec<Finding>,
}

/// The texts of the files, without byte order marks, with their findings.
#[derive(Clone)]
struct State {
    manifests: Vec<(String, String)>,
    dockerfile: Option<(String, String)>,
    findings: Vec<Finding>,
    /// How often each text is a key or a value in the manifests.
    scalars: HashMap<String, usize>,
}

impl<'a> Fix<'a> {
    /// Nothing to fix yet.
    ///
    /// ```
    /// assert!(graceful_deploy::Fix::new().run().unwrap().texts.is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// A manifest's text. Each file has its own name.
    ///
    /// ```
    /// assert!(graceful_deploy::Fix::new().manifest("app.yaml", "a: [1").run().is_err());
    /// ```
    #[must_use]
    pub fn manifest(mut self, name: &'a str, text: &'a str) -> Self {
        self.manifests.push((name, text));
        self
    }

    /// The text of the Dockerfile of the container's image.
    ///
    /// ```
    /// let fix = graceful_deploy::Fix::new().dockerfile("Dockerfile", "FROM debian\nCMD /app\n");
    /// assert_eq!(fix.run().unwrap().texts[0].1, "FROM debian\nCMD [\"/app\"]\n");
    /// ```
    #[must_use]
    pub fn dockerfile(self, name: &'a str, text: &'a str) -> Self {
        Self { dockerfile: Some((name, text)), ..self }
    }

    /// As [`Check::facts`].
    ///
    /// ```
    /// use graceful_deploy::{Facts, Fix};
    /// let facts = Facts::new(graceful_plan::Plan::DEFAULT);
    /// assert_eq!(Fix::new().facts(&facts).run().unwrap().left[0].rule.id, "container-not-found");
    /// ```
    #[must_use]
    pub fn facts(self, facts: &'a Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// As [`Check::container`].
    ///
    /// ```
    /// let fix = graceful_deploy::Fix::new().manifest("a", "kind: Pod\nspec: {containers: [{name: app}]}");
    /// assert_eq!(fix.container("other").run().unwrap().left[0].rule.id, "container-not-found");
    /// ```
    #[must_use]
    pub fn container(self, name: &'a str) -> Self {
        Self { container: Some(name), ..self }
    }

    /// Fixes every finding that has a fix. A fix counts only if its finding is gone and no other finding is new, with the
    /// fixes that follow from it included; otherwise its edits are dropped.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn run(&self) -> Result<Fixed, Unreadable> {
        let owned = |(name, text): &(&str, &str)| (name.to_string(), text.trim_start_matches('\u{feff}').to_owned());
        let manifests = self.manifests.iter().map(owned).collect();
        let mut state = self.checked(manifests, self.dockerfile.as_ref().map(owned))?;
        let original = state.clone();
        let (mut fixed, mut tries) = (Vec::new(), MOST_TRIES);
        // Each success has fewer findings, so this ends.
        while let Some((findings, next)) = self.together(&state).or_else(|| self.next(&state, &mut tries)) {
            fixed.extend(findings);
            state = next;
        }
        let marks = self.manifests.iter().chain(&self.dockerfile).map(|(_, text)| {
            let without = text.trim_start_matches('\u{feff}');
            &text[..text.len() - without.len()]
        });
        let before = original.manifests.into_iter().chain(original.dockerfile);
        let after = state.manifests.into_iter().chain(state.dockerfile);
        let changed = before.zip(after).zip(marks).filter(|((before, after), _)| before != after);
        let with_marks = |((_, (name, text)), marks)| (name, format!("{marks}{text}"));
        Ok(Fixed { texts: changed.map(with_marks).collect(), fixed, left: state.findings })
    }

    fn checked(
        &self,
        manifests: Vec<(String, String)>,
        dockerfile: Option<(String, String)>,
    ) -> Result<State, Unreadable> {
        let parsed: Vec<_> =
            manifests.iter().map(|(name, text)| Manifest::parse(name, text)).collect::<Result<_, _>>()?;
        let image = dockerfile.as_ref().map(|(name, text)| Dockerfile::parse(name, text)).transpose()?;
        let mut check = Check::new(&parsed);
        if let Some(facts) = self.facts {
            check = check.facts(facts);
        }
        if let Some(container) = self.container {
            check = check.container(container);
        }
        if let Some(image) = &image {
            check = check.dockerfile(image);
        }
        let findings = check.run();
        let mut scalars = HashMap::new();
        parsed.iter().flat_map(|manifest| &manifest.documents).for_each(|document| count(document, &mut scalars));
        Ok(State { manifests, dockerfile, findings, scalars })
    }

    /// The state without all findings that have a fix; `None` if their edits do not fit together.
    fn together(&self, state: &State) -> Option<(Vec<Finding>, State)> {
        let fixed: Vec<_> = state.findings.iter().filter(|finding| !finding.edits.is_empty()).cloned().collect();
        let edits: Vec<_> = fixed.iter().flat_map(|finding| &finding.edits).collect();
        let next = self.edited(state, &edits)?;
        let (before, after) = (counted(&state.findings), counted(&next.findings));
        let is_none_new = after.iter().all(|(key, count)| before.get(key).is_some_and(|before| count <= before));
        let all_gone = state.findings.len() - next.findings.len().min(state.findings.len()) >= fixed.len();
        (is_none_new && all_gone).then_some((fixed, next))
    }

    /// The first finding whose fix holds, and the state without it.
    fn next(&self, state: &State, tries: &mut usize) -> Option<(Vec<Finding>, State)> {
        state.findings.iter().filter(|finding| !finding.edits.is_empty()).find_map(|finding| {
            *tries = tries.checked_sub(1)?;
            Some((vec![finding.clone()], self.fix(state, finding)?))
        })
    }

    /// The state without this finding; `None` if it has no fix that holds.
    fn fix(&self, state: &State, finding: &Finding) -> Option<State> {
        let (before, key) = (counted(&state.findings), key(finding));
        let mut next = self.edited(state, &finding.edits.iter().collect::<Vec<_>>())?;
        for _ in 0..LONGEST_CHAIN {
            let after = counted(&next.findings);
            let is_new = |finding: &&Finding| {
                let key = self::key(finding);
                after.get(&key) > before.get(&key)
            };
            match next.findings.iter().find(is_new) {
                None => return (after.get(&key) < before.get(&key)).then_some(next),
                Some(new) => next = self.edited(&next, &new.edits.iter().collect::<Vec<_>>())?,
            }
        }
        None
    }

    /// The state after these edits, checked again; `None` if there are none, or two change the same bytes.
    fn edited(&self, state: &State, edits: &[&Edit]) -> Option<State> {
        let (mut manifests, mut dockerfile) = (state.manifests.clone(), state.dockerfile.clone());
        let mut edits = edits.to_vec();
        edits.sort_by_key(|edit| (&edit.file, edit.bytes.start, edit.bytes.end));
        let overlap = |pair: &[&Edit]| pair[0].file == pair[1].file && pair[0].bytes.end > pair[1].bytes.start;
        if edits.is_empty() || edits.windows(2).any(overlap) {
            return None;
        }
        for edit in edits.iter().rev() {
            let (_, text) = manifests.iter_mut().chain(&mut dockerfile).find(|(name, _)| *name == edit.file)?;
            text.get(edit.bytes.clone())?;
            text.replace_range(edit.bytes.clone(), &edit.text);
        }
        let next = self.checked(manifests, dockerfile).ok()?;
        // What is added changes no value, such as the blank lines at the end of a block scalar.
        let gone = state
            .scalars
            .iter()
            .map(|(text, count)| count.saturating_sub(next.scalars.get(text).copied().unwrap_or(0)));
        let changes = edits.iter().filter(|edit| !edit.bytes.is_empty()).count();
        (gone.sum::<usize>() <= changes).then_some(next)
    }
}

/// Counts the scalars of a value. The depth is bounded by the parser.
fn count(node: &Node, scalars: &mut HashMap<String, usize>) {
    if let Value::Scalar(text, _) = &node.value {
        *scalars.entry(text.clone()).or_default() += 1;
    }
    for (key, value) in node.entries() {
        count(key, scalars);
        count(value, scalars);
    }
    node.items().iter().for_each(|item| count(item, scalars));
}

/// What stays the same of a finding when text before it changes.
fn key(finding: &Finding) -> (String, &'static str) {
    (finding.file.clone(), finding.rule.id)
}

fn counted(findings: &[Finding]) -> BTreeMap<(String, &'static str), usize> {
    findings.iter().fold(BTreeMap::new(), |mut counts, finding| {
        *counts.entry(key(finding)).or_default() += 1;
        counts
    })
}
