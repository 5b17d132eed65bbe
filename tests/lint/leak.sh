#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Does a test that only leaks fail a run under AddressSanitizer? Criterion 2.4.1 calls it
# passed; only abort_on_error in ASAN_OPTIONS turns it into an exit status, and only
# tests/run.sh into a failure. `make asan` runs this first, with its own compiler and options.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-leak.XXXXXX")
trap 'rm -rf "$TREE"' EXIT

mkdir -p "$TREE"/{tests/unit,build/tests/unit}
cp "$HERE/../run.sh" "$TREE/tests/"
cat >"$TREE/tests/unit/test_leak.c" <<'EOF'
#include <criterion/criterion.h>
#include <stdlib.h>
Test(leak, only_leaks)
{
	char *volatile lost = malloc(10);
	cr_assert_not_null(lost);
	lost = NULL;
}
EOF
"${CC:-gcc}" -g -fsanitize=address -fno-omit-frame-pointer "$TREE/tests/unit/test_leak.c" \
	-o "$TREE/build/tests/unit/test_leak" -lcriterion

if output=$(HELIOGRAPH_BUILD="$TREE/build" T='' "$TREE/tests/run.sh" unit 2>&1); then
	echo "leak: a planted leak passes; ASAN_OPTIONS=${ASAN_OPTIONS:-}" >&2
	exit 1
fi
if [[ $output != *LeakSanitizer* ]]; then
	echo "leak: the planted leak failed for another reason: $output" >&2
	exit 1
fi
echo "leak: a planted leak fails the run"
