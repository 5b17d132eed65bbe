#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs test suites and sums them up:  tests/run.sh [unit|lab|deploy|wire|cluster|compat|clients|browser|containers]...
#
# unit: every tests/unit/**/test_*.c has a Criterion binary in $HELIOGRAPH_BUILD; two run at
# a time. The others: tests/<suite>/*.test.js under `node --test`, of clients what the
# compiler made of docs/clients/test; lab has the tests of its tools, which need no program,
# deploy those of what is in deploy/.
# Those of wire and cluster mostly wait for processes of their own, which choose ports and
# folders for themselves: three files at a time, large ones first, so that no long
# one is left over at the end. Clients of other languages and browsers keep both cores busy:
# one at a time. Building is make's business. Passing files print one line, failing ones all
# they said. The last line is "N passed, N failed[, N skipped]".
# A run of whole suites gives files that failed, if they are few, a second try at its end, alone:
# it tells a defect from a test that a busy machine was too slow for. Who passes then is named
# all the same, as unsteady.
# T=pattern: only the files whose path matches; if none does, only tests with such a name.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

BUILD=${HELIOGRAPH_BUILD:-$PWD/build/release}
export HELIOGRAPH_BUILD=$BUILD
declare -A JOBS=([unit]=2 [lab]=2 [wire]=3 [cluster]=3 [compat]=1 [clients]=2 [browser]=1 [containers]=1 [deploy]=2)
UNIT_SECONDS_MAX=120
NODE_SECONDS_MAX=600
RETRIES_MAX=5

OUT=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-test.XXXXXX")
by_name='' # T, when it is to select tests by their name
n=0        # result files so far: $OUT/<n>.count holds "passed failed skipped"

cleanup() {
	local pid
	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "$OUT"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SUITES=(unit lab deploy wire cluster compat clients browser containers)

folder_of() {
	[[ $1 == clients ]] && echo docs/clients/dist/test || echo "tests/$1"
}

# The files of a suite, sorted: by their size when they run for long, which goes with it.
suite_files() {
	local pattern='*.test.js' folder
	[[ $1 == unit ]] && pattern='test_*.c'
	folder=$(folder_of "$1")
	[[ -d $folder ]] || return 0
	if [[ $1 == wire || $1 == cluster ]]; then
		find "$folder" -name "$pattern" -printf '%s %p\n' | LC_ALL=C sort -rn | cut -d' ' -f2-
	else
		find "$folder" -name node_modules -prune -o -name "$pattern" -print | LC_ALL=C sort
	fi
}

# Runs a command in a process group of its own with a time limit; passes a TERM on to it.
bounded() {
	local seconds=$1 rc
	shift
	timeout --kill-after=10 "$seconds" "$@" &
	# shellcheck disable=SC2064 # the pid is meant as of now
	trap "kill $! 2>/dev/null" TERM
	wait $!
	rc=$?
	((rc == 124)) && echo "STOPPED: not done after $seconds s"
	return $rc
}

# "ok - name" and "not ok - name" lines of a Criterion TAP file, as "passed failed skipped".
count_criterion() {
	awk '/^(not )?ok / { if (/# SKIP/) s++; else if (/^ok/) p++; else f++ }
		END { print p + 0, f + 0, s + 0 }' "$1" 2>/dev/null || echo 0 0 0
}

# The closing lines of a node TAP file, likewise.
count_node() {
	awk '/^# (pass|fail|cancelled|skipped|todo) [0-9]+$/ { n[$2] = $3 }
		END { print n["pass"] + 0, n["fail"] + n["cancelled"], n["skipped"] + n["todo"] }
	' "$1" 2>/dev/null || echo 0 0 0
}

run_criterion() {
	local log=$1 tap=$2 file=$3 args=(-j1 --color=never)
	local binary=$BUILD/${file%.c}
	[[ -z $by_name ]] || args+=(--filter "*$by_name*")
	if [[ ! -x $binary ]]; then
		echo "$binary is not there: make test-unit builds it" >"$log"
		return 1
	fi
	bounded $UNIT_SECONDS_MAX "$binary" "${args[@]}" --tap="$tap" >"$log" 2>&1
}

run_node() {
	local log=$1 tap=$2 file=$3 args=()
	[[ -z $by_name ]] || args+=(--test-name-pattern "$by_name")
	bounded $NODE_SECONDS_MAX node --test "${args[@]}" \
		--test-reporter=spec --test-reporter-destination=stdout \
		--test-reporter=tap --test-reporter-destination="$tap" "$file" >"$log" 2>&1
}

# One file, start to end: runs it, judges it, prints its line, leaves its counts.
run_file() {
	local kind=$1 file=$2 base=$OUT/$3 rc=0 passed failed skipped start=$EPOCHREALTIME ms
	"run_$kind" "$base.log" "$base.tap" "$file" || rc=$?
	read -r passed failed skipped < <("count_$kind" "$base.tap")
	[[ -z $by_name ]] || skipped=0
	# A crash outside a test, a leak, a time-out: the exit code alone knows.
	if ((rc != 0 && failed == 0)); then
		((failed++))
		echo "exit status $rc although no test failed" >>"$base.log"
	elif ((passed + failed + skipped == 0)) && [[ -z $by_name ]]; then
		((failed++))
		echo "no test in this file ran" >>"$base.log"
	fi
	ms=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	echo "$passed $failed $skipped" >"$base.count"
	rm -f "$base.failed"
	if ((failed)); then
		echo "$kind $file" >"$base.failed"
		# One write, so that two jobs do not mix their lines.
		printf '  FAIL %4d of %-4d %s (%d ms)\n%s\n' "$failed" $((passed + failed)) "$file" \
			"$ms" "$(sed 's/^/    | /' "$base.log")"
	elif ((passed + skipped)); then
		printf '  ok   %4d         %s (%d ms)\n' "$passed" "$file" "$ms"
	fi
}

run_suite() {
	local suite=$1 kind=node jobs_max=${JOBS[$1]} file folder start=$SECONDS
	folder=$(folder_of "$suite")
	[[ $suite != unit ]] || kind=criterion
	echo "== $suite"
	for file in "${files[@]}"; do
		[[ $file == "$folder/"* ]] || continue
		while (($(jobs -rp | wc -l) >= jobs_max)); do
			wait -n
		done
		((++n))
		run_file "$kind" "$file" "$n" &
	done
	wait
	echo "   $suite: $((SECONDS - start)) s"
}

# Leaves in `unsteady` who passes now.
retry_failed() {
	local result base kind file results=("$OUT"/*.failed)
	unsteady=()
	[[ -e ${results[0]} && -z ${T:-} ]] && ((${#results[@]} <= RETRIES_MAX)) || return 0
	echo "== once more, alone"
	for result in "${results[@]}"; do
		read -r kind file <"$result"
		base=${result%.failed}
		run_file "$kind" "$file" "${base##*/}"
		[[ -e $result ]] || unsteady+=("$file")
	done
}

main() {
	local suites=("$@") suite file passed=0 failed=0 skipped=0 p f s all=() picked=()
	((${#suites[@]})) || suites=("${SUITES[@]}")
	for suite in "${suites[@]}"; do
		if [[ " ${SUITES[*]} " != *" $suite "* ]]; then
			echo "tests/run.sh: no suite '$suite', but: ${SUITES[*]}" >&2
			exit 1
		fi
		mapfile -t -O ${#all[@]} all < <(suite_files "$suite")
	done
	if [[ -n ${T:-} ]]; then
		for file in "${all[@]}"; do
			[[ $file =~ $T ]] && picked+=("$file")
		done
		if ((${#picked[@]} == 0)) && [[ $T =~ ^[A-Za-z0-9_\ :-]+$ ]]; then
			by_name=$T
			picked=("${all[@]}")
		fi
	else
		picked=("${all[@]}")
	fi
	files=("${picked[@]}")

	for suite in "${suites[@]}"; do
		run_suite "$suite"
	done
	retry_failed
	for file in "$OUT"/*.count; do
		[[ -e $file ]] || continue
		read -r p f s <"$file"
		((passed += p, failed += f, skipped += s))
	done
	if ((n != $(find "$OUT" -name '*.count' | wc -l))); then
		echo "tests/run.sh: a test file left no result"
		((failed++))
	fi
	for file in "${unsteady[@]}"; do
		echo "unsteady: $file failed at first and passed alone"
	done
	if ((passed + failed == 0)); then
		echo "tests/run.sh: no test ran"
	elif ((failed)); then
		echo "next: T=<file or test name> make test, or V=1 to see the build's commands"
	fi
	printf '%d passed, %d failed' "$passed" "$failed"
	((skipped)) && printf ', %d skipped' "$skipped"
	echo
	((passed > 0 && failed == 0))
}

main "$@"
