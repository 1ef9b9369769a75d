#!/usr/bin/env bash
# Three rolling restarts of the demo's service at 500 requests/s on the cluster of KUBECONFIG, for each kind of client
# and for responses that take a second. Fails if a request fails.
#
# Requires kubectl, and an image `docker.io/local/replica:1` on the nodes whose entrypoint is the static binary `replica`
# (RUSTFLAGS="-C target-feature=+crt-static" cargo build --release -p graceful-demo --target x86_64-unknown-linux-gnu).
# Run it where Services are reachable: on a node, or in a pod.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --quiet --release -p graceful-demo --bin load
kubectl apply -f demo/kubernetes/replica.yaml
kubectl rollout status deploy/replica --timeout=120s
address=$(kubectl get service replica -o jsonpath='{.spec.clusterIP}'):80
failed=0
for clients in "keep-alive /" "new-connections /" "http2 /" "keep-alive /slow"; do
  echo "== $clients"
  # shellcheck disable=SC2086 # two arguments
  cargo run --quiet --release -p graceful-demo --bin load -- "$address" 54 500 $clients &
  load=$!
  sleep 2
  for _ in 1 2 3; do
    kubectl rollout restart deploy/replica
    kubectl rollout status deploy/replica --timeout=120s | tail -1
    sleep 2
  done
  wait $load || failed=1
done
exit $failed
