//! The rules of how pods are replaced.

crate::rule::rules! { Rollout:

RECREATE { "strategy-recreate", Warning, Nothing, Spec, "",
    "The strategy `Recreate` stops every pod before it starts a new one.",
    "No pod serves in between, so every rollout fails requests, however well a pod shuts down.",
    wrong: "strategy: {type: Recreate}",
    right: "strategy: {type: RollingUpdate}",
    mechanical: "Writes `RollingUpdate`, if the pods mount no PersistentVolumeClaim." }

TAKES_ALL { "rollout-takes-all-replicas", Warning, Nothing, Spec, "",
    "`maxUnavailable` lets a rollout stop all replicas at once.",
    "No pod serves until the new ones are ready.",
    wrong: "strategy:\n  rollingUpdate: {maxUnavailable: 100%}",
    right: "strategy:\n  rollingUpdate: {maxUnavailable: 1}",
    mechanical: "Writes `maxUnavailable: 0`, and `maxSurge: 1` in place of 0." }

NO_SURGE { "one-replica-without-surge", Warning, Nothing, Spec, "",
    "One replica, and a rollout that starts no second one before it stops the first.",
    "No pod serves until the new one is ready.",
    wrong: "replicas: 1\nstrategy:\n  rollingUpdate: {maxSurge: 0, maxUnavailable: 1}",
    right: "replicas: 1\nstrategy:\n  rollingUpdate: {maxSurge: 1, maxUnavailable: 0}",
    mechanical: "Writes `maxSurge: 1` and `maxUnavailable: 0`, if the pods mount no PersistentVolumeClaim." }

PDB_MISSING { "pod-disruption-budget-missing", Hint, Nothing, Manifest, "",
    "A Deployment that serves traffic with several replicas has no PodDisruptionBudget in the files.",
    "A drain of several nodes can evict all replicas at once.",
    wrong: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: app}}\n  template:\n    metadata: {labels: {app: app}}\n    spec:\n      containers:\n      - name: app\n        ports: [{containerPort: 3000}]\n        readinessProbe: {httpGet: {path: /readyz, port: 8081}}",
    right: "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: app}}\n  template:\n    metadata: {labels: {app: app}}\n    spec:\n      containers:\n      - name: app\n        ports: [{containerPort: 3000}]\n        readinessProbe: {httpGet: {path: /readyz, port: 8081}}\n---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec:\n  maxUnavailable: 1\n  selector: {matchLabels: {app: app}}",
    mechanical: "Appends a PodDisruptionBudget with the labels of the selector; not in JSON." }

PDB_BLOCKS { "pod-disruption-budget-blocks", Warning, Nothing, Document, "",
    "A PodDisruptionBudget allows no eviction at all.",
    "A node can't be drained: the drain waits, and is often ended by force, which kills the pod without its shutdown.",
    wrong: "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec:\n  maxUnavailable: 0\n  selector: {matchLabels: {app: app}}",
    right: "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: app}\nspec:\n  maxUnavailable: 1\n  selector: {matchLabels: {app: app}}",
    mechanical: "Writes `maxUnavailable: 1`." }

NOT_READY { "publish-not-ready-addresses", Warning, Nothing, Document, "",
    "A Service sends traffic to pods that are not ready.",
    "Requests reach processes that are starting or draining, whatever their readiness says.",
    wrong: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  publishNotReadyAddresses: true\n  selector: {app: app}\n  ports: [{port: 80, targetPort: http}]",
    right: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  selector: {app: app}\n  ports: [{port: 80, targetPort: http}]",
    mechanical: "Writes `false`." }

MIN_READY { "min-ready-seconds-missing", Hint, Nothing, Document, "",
    "A Service of type LoadBalancer selects the pods, and `minReadySeconds` is not set.",
    "A cloud load balancer takes seconds to add a pod that is ready, and the rollout stops an old one at once. Set `minReadySeconds` to the time the load balancer takes.",
    wrong: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  type: LoadBalancer\n  selector: {app: app}\n  ports: [{port: 80, targetPort: http}]",
    right: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  type: ClusterIP\n  selector: {app: app}\n  ports: [{port: 80, targetPort: http}]" }

HOST_NETWORK { "host-network-with-surge", Warning, Program, Pod, "",
    "`hostNetwork` with a fixed health port, and a rollout that starts a second pod beside the first.",
    "On the same node the new process can't listen on the health port and exits with code 78.",
    wrong: "hostNetwork: true",
    right: "hostNetwork: false" }

ON_DELETE { "update-strategy-on-delete", Warning, Nothing, Manifest, "",
    "The update strategy `OnDelete` replaces no pod by itself.",
    "A new image and a new termination grace period take effect only when someone deletes each pod.",
    wrong: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: app}\nspec:\n  updateStrategy: {type: OnDelete}\n  template:\n    spec:\n      containers:\n      - name: app",
    right: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: app}\nspec:\n  updateStrategy: {type: RollingUpdate}\n  template:\n    spec:\n      containers:\n      - name: app" }

JOB { "grace-in-a-job", Hint, Program, Manifest, "",
    "A Job or CronJob runs a program with a grace period.",
    "No load balancer sends traffic to a Job's pod, so the grace period only delays its end.",
    wrong: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: app",
    right: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: app\n        env: [{name: GRACEFUL_GRACE, value: 0s}]" }

SIDECAR { "sidecar-exits-before-the-app", Warning, Nothing, Manifest, "",
    "A proxy or a collector is a plain container beside the app.",
    "All containers get SIGTERM at the same time, so the proxy can exit while the app still uses it. A native sidecar, an init container with `restartPolicy: Always`, ends after the app.",
    wrong: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n  - name: cloud-sql-proxy",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  initContainers:\n  - name: cloud-sql-proxy\n    restartPolicy: Always\n  containers:\n  - name: app" }
}
