//! The rules of how the kubelet sees the process.

crate::rule::rules! { Probes:

READINESS_MISSING { "readiness-probe-missing", Warning, Nothing, Manifest, "",
    "A container that serves traffic has no readiness probe.",
    "The pod gets traffic before the process listens, so requests fail in each rollout.",
    wrong: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    ports: [{containerPort: 3000}]",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    ports: [{containerPort: 3000}]\n    readinessProbe:\n      httpGet: {path: /readyz, port: 8081}",
    mechanical: "Adds a probe of `/readyz` on the health port, if the program is known." }

PORT_UNSERVED { "probe-port-not-served", Error, Nothing, Container, "",
    "A probe asks for a health path at a port that is neither the health port nor declared by the container, or no port has its name.",
    "The probe fails: the pod gets no traffic, or the container restarts for ever.",
    wrong: "readinessProbe:\n  httpGet: {path: /readyz, port: 8080}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: 8081}",
    mechanical: "Writes the health port, if the program is known." }

OTHER_PORT { "probe-on-another-port", Warning, Program, Container, "",
    "A probe asks a port that is not the health port.",
    "The traffic's listener closes in the drain and runs on the program's own runtime, so the probe fails where the health server would respond.",
    wrong: "readinessProbe:\n  httpGet: {path: /readyz, port: http}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}",
    mechanical: "Writes the health port, if the path is one of the health server's." }

PATH_UNSERVED { "probe-path-not-served", Error, Program, Container, "",
    "A probe asks the health port for a path that it does not serve.",
    "The response is 404, which is a failure.",
    wrong: "readinessProbe:\n  httpGet: {path: /ready, port: health}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}",
    mechanical: "Writes the path of the health server for this probe." }

SCHEME_UNSERVED { "probe-scheme-not-served", Error, Program, Container, "",
    "A probe speaks HTTPS to the health port, which serves plain HTTP.",
    "The TLS handshake fails, and so does the probe.",
    wrong: "readinessProbe:\n  httpGet: {path: /readyz, port: health, scheme: HTTPS}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}",
    mechanical: "Writes `HTTP`." }

GRPC_UNSERVED { "probe-grpc-not-served", Error, Program, Container, "grpc = none",
    "A gRPC probe asks for a service that the program does not serve.",
    "The probe fails. gRPC on the health port needs the feature `tonic`; its services are the empty name, `readiness`, `liveness`, `startup` and those that the program adds.",
    wrong: "readinessProbe:\n  grpc: {port: 8081}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}",
    mechanical: "Makes the probe `httpGet`, if the program serves no gRPC on the health port." }

LIVENESS_READY { "liveness-probe-on-readiness-path", Error, Nothing, Container, "",
    "The liveness probe asks for the readiness.",
    "A dependency that fails, which readiness is there to show, restarts every pod at once.",
    wrong: "livenessProbe:\n  httpGet: {path: /readyz, port: health}",
    right: "livenessProbe:\n  httpGet: {path: /livez, port: health}",
    mechanical: "Writes the liveness path, if the program is known and the probe asks its health port." }

LIVENESS_START { "liveness-probe-kills-during-start", Warning, Nothing, Manifest, "no program",
    "A liveness probe can restart the container within 15 s of its start, and there is no startup probe.",
    "A start that is slower than usual, such as one on a busy node, is restarted before it ends, for ever.",
    wrong: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    livenessProbe:\n      httpGet: {path: /livez, port: 3000}\n      periodSeconds: 3",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    startupProbe:\n      httpGet: {path: /livez, port: 3000}\n      periodSeconds: 1\n      failureThreshold: 60\n    livenessProbe:\n      httpGet: {path: /livez, port: 3000}\n      periodSeconds: 3" }

LIVENESS_DRAIN { "liveness-probe-kills-during-drain", Warning, Program, Manifest, "health = \"off\"",
    "A liveness probe asks the traffic's port, and fails often enough in the drain to restart the container.",
    "The listener closes at the drain. The kubelet stops liveness probes of a pod that is being deleted, but not when the shutdown has another cause.",
    wrong: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    startupProbe: {tcpSocket: {port: 3000}}\n    livenessProbe:\n      tcpSocket: {port: 3000}\n      periodSeconds: 2",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    startupProbe: {tcpSocket: {port: 3000}}\n    livenessProbe:\n      tcpSocket: {port: 3000}\n      periodSeconds: 10" }

TIMEOUT_LONG { "probe-timeout-longer-than-period", Warning, Nothing, Container, "",
    "A probe's timeout is longer than its period.",
    "Probes of one container run one after the other: a slow response delays the next probe, so failures are counted later than the period says.",
    wrong: "readinessProbe:\n  httpGet: {path: /readyz, port: health}\n  periodSeconds: 2\n  timeoutSeconds: 5",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}\n  periodSeconds: 5\n  timeoutSeconds: 2",
    mechanical: "Writes the period as the timeout." }

PUBLISHED { "health-port-published", Warning, Program, Document, "",
    "A Service or an Ingress publishes the health port.",
    "Anyone who reaches the Service sees the checks and their errors, and can ask the health server without limit.",
    wrong: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  selector: {app: app}\n  ports: [{port: 80, targetPort: health}]",
    right: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  selector: {app: app}\n  ports: [{port: 80, targetPort: http}]" }

EXEC { "exec-probe-where-http-is-served", Hint, Nothing, Container, "",
    "A probe starts a process in the container where an HTTP probe would do.",
    "Each probe costs a process, and the image needs the binary. A process that hangs in the container counts against its limits.",
    wrong: "readinessProbe:\n  exec: {command: [curl, -f, \"http://localhost:8081/readyz\"]}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}" }

TCP { "readiness-probe-over-tcp", Warning, Program, Container, "",
    "The readiness probe only connects to the health port.",
    "The health server accepts connections in every phase, so the probe never shows that the process is starting or draining.",
    wrong: "readinessProbe:\n  tcpSocket: {port: health}",
    right: "readinessProbe:\n  httpGet: {path: /readyz, port: health}",
    mechanical: "Makes the probe `httpGet` on the same port." }
}
