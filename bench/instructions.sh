#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Counts the instructions of the hot paths and holds them against what is committed: time
# depends on the machine and the hour, instructions on the code and the compiler alone.
#
#	bench/instructions.sh count PROGRAM             lines "unit instructions-per-unit"
#	bench/instructions.sh check COUNTS COMMITTED    fails on a unit 5 % dearer
#	bench/instructions.sh write COUNTS COMMITTED    commits to these
#
# PROGRAM is bench/micro/instructions; it runs under callgrind, which knows how much went into
# each of its functions and what they called.
set -euo pipefail

PERCENT_MAX=5

die() {
	echo "instructions: $*" >&2
	exit 1
}

# What the counts depend on beside the code.
compiler() {
	echo "${CC:-gcc} $("${CC:-gcc}" -dumpfullversion), $(uname -m)"
}

count() {
	local dir
	dir=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-instructions.XXXXXX")
	# shellcheck disable=SC2064 # the folder is meant as of now
	trap "rm -rf '$dir'" EXIT
	valgrind --tool=callgrind --callgrind-out-file="$dir/out" "$1" >"$dir/units" 2>"$dir/log" ||
		die "$1 failed: $(tail -5 "$dir/log")"
	callgrind_annotate --inclusive=yes --threshold=100 "$dir/out" >"$dir/functions"
	awk 'NR == FNR { units[$1] = $2; order[++n] = $1; next }
		match($0, /:unit_[a-z0-9_]+/) {
			name = substr($0, RSTART + 1, RLENGTH - 1)
			gsub(",", "", $1)
			if (!(name in total)) total[name] = $1
		}
		END {
			for (i = 1; i <= n; i++) {
				if (!(order[i] in total)) {
					print "instructions: " order[i] " was not counted" >"/dev/stderr"
					exit 1
				}
				printf "%s %.1f\n", substr(order[i], 6), total[order[i]] / units[order[i]]
			}
		}' "$dir/units" "$dir/functions"
}

check() {
	local counted_with
	counted_with=$(sed -n 's/^# counted with //p' "$2")
	if [[ $counted_with != "$(compiler)" ]]; then
		echo "instructions: not compared: $2 was counted with $counted_with, this is $(compiler)"
		return 0
	fi
	awk -v percent_max="$PERCENT_MAX" '
		/^#/ { next }
		NR == FNR { committed[$1] = $2; next }
		{
			seen[$1] = 1
			if (!($1 in committed)) { printf "  %-18s %9.1f  NOT COMMITTED\n", $1, $2; bad = 1; next }
			percent = ($2 / committed[$1] - 1) * 100
			verdict = percent < -percent_max ? "fewer: commit to it" : ""
			if ($2 * 100 > committed[$1] * (100 + percent_max)) { verdict = "TOO MANY"; bad = 1 }
			printf "  %-18s %9.1f  %9.1f  %+6.1f %%  %s\n", $1, $2, committed[$1], percent, verdict
		}
		END {
			for (unit in committed) if (!(unit in seen)) { print "  " unit ": NOT COUNTED"; bad = 1 }
			exit bad
		}' "$2" "$1" && return 0
	echo "instructions: meant? make bench-instructions UPDATE=1 commits to the new counts" >&2
	return 1
}

write() {
	{
		echo '# Instructions of the hot paths for each unit of work: make bench-instructions UPDATE=1'
		echo "# counted with $(compiler)"
		cat "$1"
	} >"$2"
}

case ${1:-} in
count) (($# == 2)) && count "$2" ;;
check) (($# == 3)) && check "$2" "$3" ;;
write) (($# == 3)) && write "$2" "$3" ;;
*) die "count PROGRAM, check COUNTS COMMITTED or write COUNTS COMMITTED" ;;
esac
