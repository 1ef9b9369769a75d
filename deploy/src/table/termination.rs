//! The rules of how long the pod has.

crate::rule::rules! { Termination:

TOO_SHORT { "termination-grace-period-too-short", Error, Program, Pod, "",
    "`terminationGracePeriodSeconds`, or its default of 30, is shorter than the program's plan.",
    "The kubelet kills the process while it drains or runs its hooks: requests are cut, data is not flushed.",
    wrong: "terminationGracePeriodSeconds: 20",
    right: "terminationGracePeriodSeconds: 30",
    mechanical: "Writes the plan's termination grace period." }

TOO_LONG { "termination-grace-period-too-long", Hint, Program, Pod, "",
    "`terminationGracePeriodSeconds` is more than twice the plan's, and at least 30 s longer.",
    "The plan is most likely not the one that is deployed. Hooks without a timeout share the time of the plan, not that of the manifest.",
    wrong: "terminationGracePeriodSeconds: 300",
    right: "terminationGracePeriodSeconds: 45" }

PRE_STOP { "pre-stop-not-in-plan", Error, Program, Container, "",
    "The container's preStop hook sleeps longer than the plan's `pre_stop`.",
    "The preStop hook spends the termination grace period before SIGTERM, so the process has less time than its plan says.",
    wrong: "lifecycle:\n  preStop:\n    sleep: {seconds: 10}",
    right: "imagePullPolicy: IfNotPresent # no preStop hook: the program keeps serving for its own grace" }

PROBE_PERIOD { "probe-termination-grace-period-too-short", Warning, Program, Container, "",
    "A probe's own `terminationGracePeriodSeconds` is shorter than the shutdown needs.",
    "When that probe fails, it replaces the pod's period, so the restart cuts requests in flight.",
    wrong: "livenessProbe:\n  httpGet: {path: /livez, port: health}\n  terminationGracePeriodSeconds: 5",
    right: "livenessProbe:\n  httpGet: {path: /livez, port: health}",
    mechanical: "Writes what the shutdown needs." }

ENV_INVALID { "environment-override-invalid", Error, Program, Container, "",
    "A `GRACEFUL_*` variable in `env` has a value that the program refuses.",
    "The process exits with code 78 at start.",
    wrong: "env:\n- {name: GRACEFUL_GRACE, value: \"8\"}",
    right: "env:\n- {name: GRACEFUL_GRACE, value: 8s}" }

ENV_UNFIT { "environment-override-does-not-fit", Error, Program, Container, "",
    "With the `GRACEFUL_*` variables in `env`, the plan does not fit.",
    "The process exits with code 78 at start.",
    wrong: "env:\n- {name: GRACEFUL_GRACE, value: 25s}",
    right: "env:\n- {name: GRACEFUL_GRACE, value: 15s}" }

ENV_UNKNOWN { "environment-override-unknown", Warning, Program, Container, "",
    "A variable in `env` starts with `GRACEFUL_`, and the program does not read it.",
    "The setting most likely has another name, and the default applies.",
    wrong: "env:\n- {name: GRACEFUL_GRACE_PERIOD, value: 8s}",
    right: "env:\n- {name: GRACEFUL_GRACE, value: 8s}" }

ENV_LOOPBACK { "health-on-loopback", Error, Program, Container, "",
    "`GRACEFUL_HEALTH` in `env` is a loopback address.",
    "The kubelet probes the pod's address and can't reach the pod's loopback, so every probe fails.",
    wrong: "env:\n- {name: GRACEFUL_HEALTH, value: \"127.0.0.1:8081\"}",
    right: "env:\n- {name: GRACEFUL_HEALTH, value: \"[::]:8081\"}",
    mechanical: "Writes `[::]` with the same port." }
}
