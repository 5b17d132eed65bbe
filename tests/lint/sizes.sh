#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Functions of at most 70 lines, files of 500, headers of 120 (in tests they may be kits of
# 500):  tests/lint/sizes.sh [root]
# metrics.h of a program may have 200: it is one list, a counter a line.
# A function runs from a brace in the first column to the next closing one, which is how
# clang-format leaves it.
set -euo pipefail
cd "${1:-.}"

find . \( -name node_modules -o -name .git -o -path ./build \) -prune -o \
	-name '*.[ch]' -printf '%P\n' | LC_ALL=C sort |
	xargs -r awk '
	function breach(line, what, n, max) {
		printf "%s:%d: %s has %d lines, at most %d\n", file, line, what, n, max
		failed = 1
	}
	function end_of_file() {
		max = file ~ /[.]h$/ && file !~ /^tests\// ? 120 : 500
		if (file ~ /[/]metrics[.]h$/)
			max = 200
		if (lines > max)
			breach(lines, "the file", lines, max)
	}
	FNR == 1 { if (file != "") end_of_file(); file = FILENAME; start = 0 }
	{ lines = FNR }
	/^[{]/ { start = FNR }
	/^[}]/ {
		if (start && FNR - start - 1 > 70)
			breach(start, "the function", FNR - start - 1, 70)
		start = 0
	}
	END { if (file != "") end_of_file(); exit failed }'
