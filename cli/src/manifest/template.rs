//! The objects of Kubernetes that run a program by its plan.

use crate::exit_code::{ExitCode, Failure};
use graceful_deploy::Facts;
use graceful_plan::{Budget, Health, duration::Pretty};

/// Ports below this one need a privilege, which a user other than root does not have.
const PRIVILEGED: u16 = 1024;

/// The kind of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Deployment,
    #[value(name = "statefulset")]
    StatefulSet,
}

/// What the objects are made of.
#[derive(Debug, Clone)]
pub(crate) struct Template<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) image: &'a str,
    pub(crate) port: u16,
    pub(crate) replicas: u32,
}

impl Template<'_> {
    /// A workload, its Services and its PodDisruptionBudget.
    ///
    /// # Errors
    /// The kubelet can't probe the health server of this plan.
    pub(crate) fn manifest(&self) -> Result<String, Failure> {
        let health = self.health()?;
        let (name, kind) = (quoted(self.name), self.kind);
        let (api, budget) = ("apiVersion: policy/v1", self.budget());
        let workload = match kind {
            Kind::Deployment => "Deployment",
            Kind::StatefulSet => "StatefulSet",
        };
        let update = match kind {
            Kind::Deployment => "  strategy:\n    # An old pod stops when a new one is ready.\n    \
                 rollingUpdate: {maxSurge: 1, maxUnavailable: 0}\n"
                .to_owned(),
            Kind::StatefulSet => format!("  serviceName: {}-headless\n", self.name),
        };
        let headless = match kind {
            Kind::Deployment => String::new(),
            Kind::StatefulSet => format!(
                "---\n# The names of the single pods.\napiVersion: v1\nkind: Service\nmetadata:\n  \
                 name: {}-headless\n  labels: {{app.kubernetes.io/name: {name}}}\nspec:\n  clusterIP: None\n  \
                 selector: {{app.kubernetes.io/name: {name}}}\n  ports:\n  - {{name: http, port: 80, targetPort: http}}\n",
                self.name
            ),
        };
        Ok(format!(
            "\
# The shutdown of {program}: {budget}.
# After a change, `cargo graceful check` compares this file with the program.
apiVersion: apps/v1
kind: {workload}
metadata:
  name: {name}
  labels: {{app.kubernetes.io/name: {name}}}
spec:
  replicas: {replicas}
{update}  selector:
    matchLabels: {{app.kubernetes.io/name: {name}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: {name}}}
    spec:
      # SIGKILL follows this long after the pod's deletion.
      terminationGracePeriodSeconds: {period}
      securityContext:
        runAsNonRoot: true
        seccompProfile: {{type: RuntimeDefault}}
{sysctls}      containers:
      - name: {name}
        image: {image}
        ports:
        - {{name: http, containerPort: {port}}}
{health_port}{probes}{pre_stop}        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {{drop: [ALL]}}
        resources:
          # Measure, and set limits.memory as well.
          requests: {{cpu: 100m, memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels: {{app.kubernetes.io/name: {name}}}
spec:
  selector: {{app.kubernetes.io/name: {name}}}
  ports:
  - {{name: http, port: 80, targetPort: http}}
{headless}---
# The drain of a node evicts one pod at a time.
{api}
kind: PodDisruptionBudget
metadata:
  name: {name}
  labels: {{app.kubernetes.io/name: {name}}}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{app.kubernetes.io/name: {name}}}
",
            program = self.name,
            replicas = self.replicas,
            period = self.period(),
            sysctls = self.sysctls(health),
            image = quoted(self.image),
            port = self.port,
            health_port = health.map_or_else(String::new, |port| {
                format!("        # Not in the Service: the kubelet probes the pod itself.\n        - {{name: health, containerPort: {port}}}\n")
            }),
            probes = self.probes(health),
            pre_stop = self.pre_stop(),
        ))
    }

    /// The health port; `None` if the health server is off.
    fn health(&self) -> Result<Option<u16>, Failure> {
        let refused = |problem| Err(Failure::new(ExitCode::Plan, problem));
        let health = self.facts.plan.health;
        match health {
            Health::Off => Ok(None),
            _ if health.is_loopback() => refused(format!(
                "the health server listens on {health}, which the kubelet can't reach; unset GRACEFUL_HEALTH"
            )),
            Health::At(address) if address.port() == 0 => refused(format!(
                "the health server listens on {health}, a port that the system chooses; write `health = 8081` in the program"
            )),
            Health::At(address) if address.port() == self.port => {
                let port = self.port;
                let message = format!("--port {port} is the port of the health server; name the port of the traffic");
                Err(Failure::new(ExitCode::Usage, message))
            }
            Health::At(address) => Ok(Some(address.port())),
        }
    }

    /// The terms of the budget in one line.
    fn budget(&self) -> String {
        let plan = &self.facts.plan;
        let budget = Budget::new(*plan, self.facts.hooks.clone().unwrap_or_default());
        format!(
            "pre_stop {} + grace {} + drain {} + hooks {} + margin {} = {} of {}",
            Pretty(plan.pre_stop),
            Pretty(plan.longest_grace()),
            Pretty(plan.drain),
            Pretty(budget.hooks()),
            Pretty(plan.margin),
            Pretty(budget.needed()),
            Pretty(plan.termination_grace_period)
        )
    }

    /// The termination grace period in whole seconds.
    fn period(&self) -> u64 {
        let period = self.facts.plan.termination_grace_period;
        period.as_secs() + u64::from(period.subsec_nanos() > 0)
    }

    fn sysctls(&self, health: Option<u16>) -> String {
        if self.port.min(health.unwrap_or(u16::MAX)) >= PRIVILEGED {
            return String::new();
        }
        "        # A port below 1024, without root.\n        \
         sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: \"0\"}]\n"
            .to_owned()
    }

    fn probes(&self, health: Option<u16>) -> String {
        if health.is_none() {
            return "        # The program has no health server (`health = \"off\"`).\n        \
                    readinessProbe:\n          tcpSocket: {port: http}\n          periodSeconds: 5\n"
                .to_owned();
        }
        let path = |paths: &[String], default: &str| paths.first().map_or(default, String::as_str).to_owned();
        let (facts, get) = (self.facts, |path| format!("          httpGet: {{path: {path}, port: health}}\n"));
        format!(
            "        # The start may take 60 s.\n        startupProbe:\n{}          periodSeconds: 1\n          failureThreshold: 60\n        \
             readinessProbe:\n{}          periodSeconds: 5\n        livenessProbe:\n{}          periodSeconds: 10\n",
            get(path(&facts.startup_paths, "/startupz")),
            get(path(&facts.readiness_paths, "/readyz")),
            get(path(&facts.liveness_paths, "/livez")),
        )
    }

    /// The preStop hook that the plan counts on.
    fn pre_stop(&self) -> String {
        match self.facts.plan.pre_stop.as_secs() {
            0 => String::new(),
            seconds => format!(
                "        lifecycle:\n          # The plan's `pre_stop`. `sleep` needs Kubernetes 1.30.\n          \
                 preStop:\n            sleep: {{seconds: {seconds}}}\n"
            ),
        }
    }
}

/// A name, in quotes where YAML would read something else than a text.
fn quoted(name: &str) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if words.contains(&name) || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::dockerfile::dockerfile;
    use graceful_deploy::{Check, Dockerfile, Manifest};
    use graceful_plan::Plan;
    use std::time::Duration;

    /// Plans as different as those of programs, with a name for messages.
    fn facts() -> Vec<(&'static str, Facts)> {
        let seconds = Duration::from_secs;
        let plan = |change: &dyn Fn(&mut Plan)| {
            let mut plan = Plan::DEFAULT;
            change(&mut plan);
            let mut facts = Facts::new(plan);
            (facts.hooks, facts.grpc_services) = (Some(Vec::new()), Some(Vec::new()));
            facts
        };
        let health = |text: &str| Health::parse(text).unwrap();
        let signals = |signals: &[&str]| {
            let mut facts = plan(&|_| {});
            facts.signals = signals.iter().map(|&signal| signal.to_owned()).collect();
            facts
        };
        vec![
            ("default", plan(&|_| {})),
            (
                "short",
                plan(&|plan| {
                    (plan.grace, plan.drain, plan.termination_grace_period) = (seconds(0), seconds(1), seconds(2))
                }),
            ),
            ("long grace", plan(&|plan| (plan.grace, plan.termination_grace_period) = (seconds(60), seconds(120)))),
            ("hours", plan(&|plan| (plan.drain, plan.termination_grace_period) = (seconds(7200), seconds(9000)))),
            ("no whole seconds", plan(&|plan| plan.termination_grace_period = Duration::from_millis(30_500))),
            ("quiet", plan(&|plan| (plan.quiet, plan.grace_limit) = (Some(seconds(1)), Some(seconds(9))))),
            ("health port", plan(&|plan| plan.health = health("[::]:9000"))),
            ("privileged health port", plan(&|plan| plan.health = health("0.0.0.0:81"))),
            ("no health", plan(&|plan| plan.health = Health::Off)),
            ("pre_stop", plan(&|plan| plan.pre_stop = seconds(5))),
            ("a part of a second of pre_stop", plan(&|plan| plan.pre_stop = Duration::from_millis(2500))),
            ("init", plan(&|plan| plan.init = true)),
            ("heartbeat", plan(&|plan| plan.liveness_heartbeat = Some(seconds(10)))),
            ("SIGINT", signals(&["SIGINT"])),
            ("SIGQUIT and SIGHUP", signals(&["SIGQUIT", "SIGHUP"])),
        ]
    }

    #[test]
    fn what_is_generated_for_any_plan_has_no_finding() {
        for (case, facts) in facts() {
            for kind in [Kind::Deployment, Kind::StatefulSet] {
                for (name, port, replicas) in [("app", 3000, 2), ("on", 80, 1), ("shop-api", 8080, 50)] {
                    let image = "registry.example/app:1";
                    let template = Template { facts: &facts, kind, name, image, port, replicas };
                    let text = template.manifest().unwrap();
                    let manifests =
                        [Manifest::parse("app.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))];
                    let image = dockerfile(&facts, name, &[]).unwrap();
                    let image = Dockerfile::parse("Dockerfile", &image).unwrap();
                    let findings = Check::new(&manifests).facts(&facts).container(name).dockerfile(&image).run();
                    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
                    assert!(findings.is_empty(), "{case}, {kind:?}: {findings:#?}\n{text}");
                    assert_eq!(text.matches("\nkind: ").count(), if kind == Kind::StatefulSet { 4 } else { 3 });
                    assert!(Check::new(&manifests).run().is_empty(), "{case}: without the program");
                }
            }
        }
    }

    #[test]
    fn a_health_server_that_the_kubelet_cannot_probe_is_refused() {
        for (health, said) in
            [("127.0.0.1:8081", "can't reach"), ("[::]:0", "the system chooses"), ("[::]:3000", "--port 3000 is")]
        {
            let facts = Facts::new(Plan { health: Health::parse(health).unwrap(), ..Plan::DEFAULT });
            let template =
                Template { facts: &facts, kind: Kind::Deployment, name: "a", image: "a", port: 3000, replicas: 1 };
            let error = template.manifest().unwrap_err();
            let code = if health.ends_with("3000") { ExitCode::Usage } else { ExitCode::Plan };
            assert!(error.message.contains(said) && error.code == code, "{error:?}");
        }
    }
}
