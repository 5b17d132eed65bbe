#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes dashboard.json from dashboard.js, and prometheusrule.yaml from rules.yaml:
#
#	deploy/monitoring/generate.sh            writes both
#	deploy/monitoring/generate.sh --check    fails if one is not as it would be written
set -euo pipefail
cd "$(dirname "$0")"

OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT

# The operator's object: the groups of rules.yaml, its head left out, two columns in.
rule() {
	cat <<'HEAD'
# Made by generate.sh from rules.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: heliograph
  labels:
    app.kubernetes.io/name: heliograph
spec:
HEAD
	sed -n '/^groups:/,$p' rules.yaml | sed 's/^./  &/'
}

node dashboard.js >"$OUT/dashboard.json"
rule >"$OUT/prometheusrule.yaml"
for file in dashboard.json prometheusrule.yaml; do
	if [[ ${1:-} != --check ]]; then
		cp "$OUT/$file" "$file"
	elif ! cmp -s "$OUT/$file" "$file"; then
		echo "deploy/monitoring/$file is not as generate.sh makes it" >&2
		exit 1
	fi
done
