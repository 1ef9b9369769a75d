#!/usr/bin/env bash
# Rehearses the example `hello` on the cluster of KUBECONFIG with each disruption, and with the load in pods. Fails if a
# request fails, and if a Job, a pod of the load or a cordoned node is left. Leaves the cluster as it was.
#
# Requires kubectl, and LOAD_IMAGE: a command that makes an image of one static binary and gives it to the nodes. It is
# called with NAME ENTRYPOINT_AS_JSON BINARY=PATH_IN_THE_IMAGE. Run it where Services are reachable: on a node, for example.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${LOAD_IMAGE:?the command that loads an image}"
target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target "$target" \
  -p graceful-examples --bin hello -p cargo-graceful --bin cargo-graceful
binaries=$CARGO_TARGET_DIR/$target/release
"$LOAD_IMAGE" docker.io/local/hello:1 '["/app"]' "$binaries/hello=/app"
"$LOAD_IMAGE" docker.io/local/cargo-graceful:1 '["/app"]' "$binaries/cargo-graceful=/app"

trap 'kubectl delete --filename=tests/kubernetes/web.yaml --ignore-not-found' EXIT
kubectl apply --filename=tests/kubernetes/web.yaml
kubectl rollout status deployment/web --timeout=120s
url=http://$(kubectl get service web --output=jsonpath='{.spec.clusterIP}')/
failed=0
rehearse() {
  echo "== $*"
  "$binaries/cargo-graceful" rehearse --kubernetes deployment/web --url "$url" "$@"
}
rehearse --times 2 || failed=1
rehearse --disrupt scale || failed=1
rehearse --disrupt delete-pods || failed=1
rehearse --load-pods 2 --load-image docker.io/local/cargo-graceful:1 || failed=1
# With one node no other pod can serve: requests fail, and the node must be schedulable again.
rehearse --disrupt drain || [ "$(kubectl get nodes --output=name | wc -l)" = 1 ] || failed=1
left=$(kubectl get nodes --output=jsonpath='{.items[?(@.spec.unschedulable)].metadata.name}'
  kubectl get jobs,pods --selector=app.kubernetes.io/name=cargo-graceful-load --output=name)
[ -z "$left" ] || { echo "left: $left"; failed=1; }
exit $failed
