//! What is known about the program.

use graceful_plan::{Budget, HookGroup, Plan};

/// What is known about the program that the manifests deploy.
///
/// ```
/// use graceful_deploy::Facts;
/// use graceful_plan::Plan;
/// let mut facts = Facts::new(Plan::DEFAULT);
/// facts.signals = vec!["SIGTERM".to_owned()];
/// assert!(facts.readiness_paths.contains(&"/readyz".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The plan: durations, `init`, and where the health server listens.
    pub plan: Plan,
    /// The signals that start the shutdown, as `SIGTERM`. Default **SIGINT and SIGTERM**.
    pub signals: Vec<String>,
    /// The paths of the health server that show readiness; each covers the paths below it. Default **those of
    /// `graceful`**.
    pub readiness_paths: Vec<String>,
    /// The same for liveness.
    pub liveness_paths: Vec<String>,
    /// The same for the end of the start.
    pub startup_paths: Vec<String>,
    /// The services of `grpc.health.v1` on the health port: empty for none. Default **`None`**: not known.
    pub grpc_services: Option<Vec<String>>,
    /// The linked hooks by order. Default **`None`**: not known.
    pub hooks: Option<Vec<HookGroup>>,
}

impl Facts {
    /// The facts of a program with this plan and the defaults of `graceful`.
    ///
    /// ```
    /// use graceful_deploy::Facts;
    /// assert_eq!(Facts::new(graceful_plan::Plan::DEFAULT).signals, ["SIGINT", "SIGTERM"]);
    /// ```
    pub fn new(plan: Plan) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            plan,
            signals: owned(&["SIGINT", "SIGTERM"]),
            readiness_paths: owned(&["/readyz", "/healthz", "/health"]),
            liveness_paths: owned(&["/livez"]),
            startup_paths: owned(&["/startupz"]),
            grpc_services: None,
            hooks: None,
        }
    }

    /// The budget of this plan with the hooks as far as they are known.
    pub(crate) fn budget(&self, plan: Plan) -> Budget {
        match &self.hooks {
            Some(hooks) => Budget::new(plan, hooks.clone()),
            None => Budget::before_linking(plan),
        }
    }

    /// Whether one of these paths is the requested one, or above it. The query does not count.
    pub(crate) fn covers(paths: &[String], requested: &str) -> bool {
        let requested = requested.split(['?', '#']).next().unwrap_or_default();
        paths.iter().any(|path| {
            requested.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether the health server responds at this path.
    pub(crate) fn serves(&self, path: &str) -> bool {
        [&self.readiness_paths, &self.liveness_paths, &self.startup_paths].iter().any(|paths| Self::covers(paths, path))
    }
}
