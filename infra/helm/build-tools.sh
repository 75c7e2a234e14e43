#!/usr/bin/env bash
# Builds what test/helm needs into a folder: helm, kubeconform, the OpenAPI document of Kubernetes and the
# definition of the kind ServiceMonitor; with --api-server also Kubernetes' own API server, which takes ten minutes or more. What is already there is
# kept. Needs Go, which loads the sources through its module proxy.
#
#   infra/helm/build-tools.sh ~/.cache/portcullis/chart [--api-server]
#   CHART_TOOLS=~/.cache/portcullis/chart npm test -- test/helm
set -euo pipefail
folder=$1
mkdir -p "$folder"
cd "$folder"
version=37.2

export GOBIN=$PWD
[ -x helm ] || go install helm.sh/helm/v3/cmd/helm@v3.22.0
[ -x kubeconform ] || go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0

kubernetes=$(go env GOMODCACHE)/k8s.io/kubernetes@v1.$version
if [ ! -s swagger.json ]; then
  go mod download "k8s.io/kubernetes@v1.$version"
  cp "$kubernetes/api/openapi-spec/swagger.json" swagger.new
  mv -f swagger.new swagger.json
fi

operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
if [ ! -s servicemonitors.yaml ]; then
  go mod download "$operator"
  cp "$(go env GOMODCACHE)/$operator/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" \
    servicemonitors.new
  mv -f servicemonitors.new servicemonitors.yaml
fi

if [ "${2:-}" = --api-server ] && [ ! -x kube-apiserver ]; then
  go mod download "k8s.io/kubernetes@v1.$version"
  module=$(mktemp -d)
  trap 'rm -rf "$module"' EXIT
  # Go installs no module that replaces others. One of our own may: the parts of Kubernetes by their versions.
  sed "s#^module .*#module tools#; s#=> ./staging/src/\(.*\)#=> \1 v0.$version#" "$kubernetes/go.mod" \
    >"$module/go.mod"
  cd "$module"
  go mod edit -require "k8s.io/kubernetes@v1.$version"
  go build -mod=mod -o "$GOBIN/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
fi
