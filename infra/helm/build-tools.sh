#!/usr/bin/env bash
# Builds what test/helm needs into a folder: helm, kubeconform, and the OpenAPI document of Kubernetes. What
# is already there is kept. Needs Go, which loads the sources through its module proxy; takes minutes.
#
#   infra/helm/build-tools.sh ~/.cache/portcullis/chart
#   HELM=…/helm KUBECONFORM=…/kubeconform KUBERNETES_OPENAPI=…/swagger.json npm run test:long -- test/helm
set -euo pipefail
folder=$1
mkdir -p "$folder"
cd "$folder"

export GOBIN=$PWD
[ -x helm ] || go install helm.sh/helm/v3/cmd/helm@v3.22.0
[ -x kubeconform ] || go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
if [ ! -s swagger.json ]; then
  kubernetes=k8s.io/kubernetes@v1.37.2
  go mod download "$kubernetes"
  cp "$(go env GOMODCACHE)/$kubernetes/api/openapi-spec/swagger.json" swagger.new
  mv -f swagger.new swagger.json
fi
