//! The rules of the files themselves: their containers and their comments.

crate::rule::rules! { Files:

NO_CONTAINER { "container-not-found", Error, Program, Manifest, "",
    "No workload in the files has the program's container.",
    "Nothing is checked.",
    wrong: "apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec:\n  selector: {app: app}\n  ports: [{port: 80}]",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app" }

AMBIGUOUS { "container-ambiguous", Error, Program, Manifest, "",
    "Several workloads could run the program, and no container is named.",
    "The rules of the program would hold against the wrong pod. Name the container: `container = \"app\"`.",
    wrong: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: worker}\nspec:\n  containers:\n  - name: worker",
    right: "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app" }

ALLOW_UNUSED { "allow-unused", Warning, Nothing, Pod, "",
    "A comment allows a finding that is not on its line, or not on the line below it.",
    "The manifest has changed, or the comment stands in the wrong place.",
    wrong: "# graceful: allow(share-process-namespace) because the debugger needs it\ndnsPolicy: ClusterFirst",
    right: "# graceful: allow(share-process-namespace) because the debugger needs it\nshareProcessNamespace: true" }

ALLOW_UNKNOWN { "allow-unknown-rule", Warning, Nothing, Pod, "",
    "A comment allows a rule that does not exist.",
    "The rule's name is misspelled, and its finding is reported.",
    wrong: "# graceful: allow(share-process-namespaces) because the debugger needs it\ndnsPolicy: ClusterFirst",
    right: "# graceful: allow(share-process-namespace) because the debugger needs it\nshareProcessNamespace: true" }

ALLOW_MALFORMED { "allow-without-a-reason", Warning, Nothing, Pod, "",
    "A comment allows a finding without a reason, or is not in the form `graceful: allow(RULE) because REASON`.",
    "The next reader can't tell whether the finding is still allowed. The comment has no effect.",
    wrong: "# graceful: allow(share-process-namespace)\ndnsPolicy: ClusterFirst",
    right: "# graceful: allow(share-process-namespace) because the debugger needs it\nshareProcessNamespace: true" }
}
