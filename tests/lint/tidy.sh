#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# clang-tidy over one file:  tests/lint/tidy.sh FILE FLAG...
#
# Seconds a file, and most files are as they were: what was found to be fine is remembered by
# all that went into it, comments and .clang-tidy included, in the user's cache folder.
set -euo pipefail

TIDY=clang-tidy-14
CC=clang-14
CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/heliograph/tidy

file=$1
shift
key=$({
	cat .clang-tidy "$0"
	$TIDY --version
	$CC -E -C "$@" "$file"
} | sha256sum | cut -d' ' -f1)
[[ ! -e $CACHE/$key ]] || exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! $TIDY --quiet "$file" -- "$@" >"$log" 2>&1; then
	cat "$log"
	exit 1
fi
# A cache that cannot be written is none.
{ mkdir -p "$CACHE" && : >"$CACHE/$key"; } 2>/dev/null || true
