#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Plants each bug of tests/sim/mutants/ by itself and runs schedules until one fails:
# T=pattern for some of them, N for how many schedules at most. Fails when a bug is not found.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=${HELIOGRAPH_BUILD:-build/release}
N=${N:-4000}
log=$B/tests/sim/mutants.log
missed=0
unset MAKEFLAGS MAKELEVEL MFLAGS MUTANT

# The first failure, without the seed and the time, which have columns of their own.
why() {
	grep -m 1 -E '^seed [0-9]+|Assertion' "$log" | sed -E 's/^seed [0-9]+( at [0-9]+ ms)?: //; s/.*Assertion/assertion/'
}

printf '%-24s %6s  %s\n' mutant seed 'found by'
for file in tests/sim/mutants/*.sed; do
	name=$(basename "$file" .sed)
	[[ $name =~ ${T:-.} ]] || continue
	# Made anew: nobody knows which headers it has.
	rm -rf "$B/tests/sim/mutants/$name"
	make -s "$B/tests/sim/mutants/$name/sim" MUTANT="$name"
	if "$B/tests/sim/mutants/$name/sim" --first --n="$N" --jobs="${JOBS:-2}" > "$log" 2>&1; then
		printf '%-24s %6s  %s\n' "$name" - "NOT FOUND in $N schedules: $(sed -n 's/^# bug: //p' "$file")"
		missed=1
	else
		printf '%-24s %6s  %s\n' "$name" "$(grep -o -m 1 'SEED=[0-9]*' "$log" | tr -dc 0-9)" "$(why)"
	fi
	rm -f "$B/tests/sim/mutants/$name/sim"
done
exit $missed
