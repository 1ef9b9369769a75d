//! The rules of how the signal reaches the process.

crate::rule::rules! { Signals:

SHELL_FORM { "dockerfile-shell-form", Error, Nothing, Dockerfile, "",
    "`ENTRYPOINT` or `CMD` is in the shell form, without `exec`.",
    "`/bin/sh` is then PID 1, and most shells do not forward SIGTERM: the process runs until SIGKILL.",
    wrong: "FROM debian:12-slim\nENTRYPOINT /app --port 3000",
    right: "FROM debian:12-slim\nENTRYPOINT [\"/app\", \"--port\", \"3000\"]",
    mechanical: "Writes the exec form, if no word needs a shell; or `exec` before the last command, if the script is a sequence of simple commands." }

SHELL { "shell-without-exec", Error, Nothing, Container, "",
    "`sh -c` starts the program without `exec`.",
    "The shell is then PID 1, and most shells do not forward SIGTERM: the process runs until SIGKILL.",
    wrong: "command: [sh, -c, \"./migrate && ./app\"]",
    right: "command: [sh, -c, \"./migrate && exec ./app\"]",
    mechanical: "Writes `exec` before the last command, if the script is a sequence of simple commands." }

STOP_SIGNAL { "stop-signal-not-handled", Error, Nothing, Dockerfile, "",
    "The signal that stops the container is not one of the program's `signals`.",
    "The process does not hear of its termination and is killed at the end of the termination grace period, or at once.",
    wrong: "FROM debian:12-slim\nSTOPSIGNAL SIGQUIT\nENTRYPOINT [\"/app\"]",
    right: "FROM debian:12-slim\nSTOPSIGNAL SIGTERM\nENTRYPOINT [\"/app\"]",
    mechanical: "Writes `SIGTERM` or the program's first signal, into `stopSignal` or `STOPSIGNAL`; adds `STOPSIGNAL` to a Dockerfile without one." }

INIT_TWICE { "init-beside-init", Hint, Program, Dockerfile, "init = true",
    "`tini` or `dumb-init` starts a program that is its own init (`init = true`).",
    "`init = true` has no effect in a process that is not PID 1.",
    wrong: "FROM debian:12-slim\nENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/app\"]",
    right: "FROM debian:12-slim\nENTRYPOINT [\"/app\"]" }

SHARED_PIDS { "share-process-namespace", Hint, Nothing, Pod, "",
    "The containers of the pod share their process namespace.",
    "The pause process is PID 1, so the program is no init, and every container sees and can signal the program's processes.",
    wrong: "shareProcessNamespace: true",
    right: "shareProcessNamespace: false" }
}
