#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The planted bugs of the simulation:  tests/lint/mutants.sh [root]
#
# - Each of tests/sim/mutants/*.sed still finds what it is to change: code moves on.
# - docs/RELIABILITY.md lists each of them, and no other.
set -euo pipefail
cd "${1:-.}"
failed=0

for mutant in tests/sim/mutants/*.sed; do
	[[ -e $mutant ]] || continue
	name=$(basename "$mutant" .sed)
	file=$(sed -n 's/^# file: //p' "$mutant")
	if [[ ! -f $file ]] || ! grep -q '^# bug: ' "$mutant"; then
		echo "$mutant: needs '# file: ' with a file, and '# bug: '"
		failed=1
	elif sed -f "$mutant" "$file" | cmp -s - "$file"; then
		echo "$mutant: finds nothing to change in $file"
		failed=1
	fi
	if ! grep -qF "| \`$name\` | \`" docs/RELIABILITY.md; then
		echo "docs/RELIABILITY.md: does not list the mutant $name"
		failed=1
	fi
done
[[ -e docs/RELIABILITY.md ]] || exit $failed
# shellcheck disable=SC2016 # backticks here are Markdown's
while read -r name; do
	if [[ ! -e tests/sim/mutants/$name.sed ]]; then
		echo "docs/RELIABILITY.md: lists the mutant $name, which is not there"
		failed=1
	fi
done < <(sed -nE 's/^\| `([a-z_]+)` \| `[a-z_\/]+\.c`.*/\1/p' docs/RELIABILITY.md)
exit $failed
