#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every fuzz target over its corpus and a number of inputs made from it, the same on each
# run:  tests/fuzz/smoke.sh BINARY...   Meant to find what a change broke; the search for
# the unknown is run.sh's.
set -euo pipefail

RUNS=20000
# Those that are slow: an input is a whole file, or a whole life.
declare -A RUNS_OF=([conf]=5000 [conn_life]=8000 [link_frame]=10000)

here=$(dirname "$0")
OUT=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-fuzz.XXXXXX")
trap 'rm -rf "$OUT"' EXIT
passed=0 failed=0
mkdir -p build/fuzz
for binary in "$@"; do
	name=${binary##*/fuzz_}
	options=(-runs="${RUNS_OF[$name]:-$RUNS}" -seed=1 -timeout=10 -rss_limit_mb=1024
		-artifact_prefix="build/fuzz/$name-")
	[[ ! -e $here/$name.dict ]] || options+=(-dict="$here/$name.dict")
	mkdir "$OUT/$name" # what it finds goes into the first folder it is given
	if "$binary" "${options[@]}" "$OUT/$name" "$here/corpus/$name" >"$OUT/log" 2>&1; then
		printf '  %-8s %s\n' PASS "fuzz $name"
		passed=$((passed + 1))
	else
		printf '  %-8s %s\n' FAIL "fuzz $name"
		tail -n 60 "$OUT/log"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
((failed == 0))
