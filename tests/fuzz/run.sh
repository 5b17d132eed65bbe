#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One fuzz target for so many seconds:  tests/fuzz/run.sh BINARY SECONDS [OPTION...]
# Starts from the corpus and from what earlier runs found. An input that fails is left as
# build/fuzz/<name>-crash-*; BINARY FILE repeats it. OPTIONs are libFuzzer's.
set -euo pipefail

binary=$1 seconds=$2
shift 2
name=${binary##*/fuzz_}
here=$(dirname "$0")
found=build/fuzz/$name
options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$found-")
[[ ! -e $here/$name.dict ]] || options+=(-dict="$here/$name.dict")
mkdir -p "$found"
exec "$binary" "${options[@]}" -print_final_stats=1 "$@" "$found" "$here/corpus/$name"
