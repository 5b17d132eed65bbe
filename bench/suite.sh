#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The measurements that `make bench` makes, in under 10 minutes: each part has a cluster of
# its own, whose gateways are on core 0; the tool, the routers and presence are on core 1.
# Leaves bench/results/suite-<date>.json (an array of results), .md and .html.
#
#	bench/suite.sh [PART...]   all parts, or these
#	bench/suite.sh --list      their names
#
#	SECONDS_EACH=5   how long is measured
#	RESULTS=bench/results
#	NAME=suite-<date>
#
# The exit status is 2 when something was lost or not as expected in one of the runs.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
BENCH=$BUILD/heliograph-bench
RESULTS=${RESULTS:-bench/results}
NAME=${NAME:-suite-$(date -u +%Y-%m-%d)}
SECONDS_EACH=${SECONDS_EACH:-5}
GATEWAY_CORE=0
TOOL_CORE=1
EXIT_UNEXPECTED=2

# ---- one run; inside of a cluster, whose facts are in the environment

# label, options of heliograph-bench
run() {
	local label=$1 file status=0
	shift
	file=$(printf '%s/%03d.json' "$SUITE_DIR" "$(find "$SUITE_DIR" -name '*.json' | wc -l)")
	echo
	echo "==== $label"
	"${PIN[@]}" "$BENCH" --url="$URL" --label="$label" --json="$file" --progress=off \
		--server_pids="gateway:$GATEWAY_PIDS;router:$ROUTER_PIDS;presence:$PRESENCE_PIDS" \
		--warm_up=1s --duration="${SECONDS_EACH}s" "$@" || status=$?
	case $status in
	0) ;;
	"$EXIT_UNEXPECTED") echo "$label: not as expected" >>"$SUITE_DIR/problems" ;;
	*) echo "$label: could not be run" >>"$SUITE_DIR/problems" ;;
	esac
}

token_key() {
	echo "--token_key=$(<"$AUTH_KEY_FILE")"
}

# ---- parts

part_connect() {
	run '10,000 connections, idle' --scenario=idle --connections=10000 --hold=3s --warm_up=0
	run '1,000 connects/s' --scenario=connect --connections=1000 --rate=1000
}

part_echo() {
	run 'echo, 100 clients, 1 in flight' --scenario=echo --connections=100
	run 'echo, 100 clients, 5,000/s' --scenario=echo --connections=100 --rate=5000
}

part_fanout() {
	run 'fan-out to 1,000, 1 in flight' --scenario=broadcast --connections=1000
	run 'fan-out to 1,000, 16 in flight' --scenario=broadcast --connections=1000 --in_flight=16
	run 'fan-out to 10,000, 4 in flight' --scenario=broadcast --connections=10000 --in_flight=4
}

part_latency() {
	run 'a group of 100, 100/s' --scenario=send-to-group --connections=100 --rate=100
	run 'a group of 1,000, 20/s' --scenario=send-to-group --connections=1000 --rate=20
}

part_across() {
	run 'a group of 100 at two gateways, 100/s' --scenario=send-to-group --connections=100 \
		--rate=100
	run 'a group of 1,000 at two gateways, 20/s' --scenario=send-to-group \
		--connections=1000 --rate=20
}

part_beside() {
	run 'a group of 10, quiet' --scenario=send-to-group --connections=10 --rate=50
	run 'a group of 10 beside a broadcast to 10,000' --scenario=group-beside-broadcast \
		--connections=10010 --group_size=10 --rate=50
}

part_small() {
	run '1,000 groups of 10, 2,000/s' --scenario=send-to-group --connections=10000 \
		--groups=1000 --rate=2000
	run 'join, send, leave, 200/s' --scenario=join-leave --connections=1000 --rate=200
}

part_direct() {
	run 'send-to-user, 1,000 users, 2,000/s' --scenario=send-to-user --connections=1000 \
		--rate=2000 "$(token_key)"
	run 'send-to-connection, 2,000/s' --scenario=send-to-connection --connections=1000 \
		--rate=2000
}

part_streams() {
	run 'server streams of 100 items, 100/s' --scenario=stream --connections=100 --rate=100
	run 'upload streams of 100 items, 100/s' --scenario=upload --connections=100 --rate=100
	run 'client results, 500/s' --scenario=client-results --connections=100 --rate=500
}

part_mixed() {
	run 'mixed, 1,000 clients in 100 groups, 1,000/s' --scenario=mixed --connections=1000 \
		--groups=100 --rate=1000 "$(token_key)"
}

part_protocols() {
	run '2 KB payloads, fan-out to 1,000, 16 in flight' --scenario=broadcast \
		--connections=1000 --in_flight=16 --size=2KiB
	run 'MessagePack, fan-out to 1,000, 16 in flight' --scenario=broadcast \
		--connections=1000 --in_flight=16 --protocol=messagepack
	run 'Server-Sent Events, fan-out to 1,000, 10/s' --scenario=broadcast \
		--connections=1000 --rate=10 --transport=sse
	run 'long polling, fan-out to 1,000, 2/s' --scenario=broadcast --connections=1000 \
		--rate=2 --transport=longpolling
}

part_search() {
	run 'most to a group of 100 with p99 < 10 ms' --scenario=broadcast --connections=100 \
		--search='p99<10ms' --search_from=200 --search_precision=10 --warm_up=500ms \
		--duration=2s
	run 'most to a group of 1,000 with p99 < 10 ms' --scenario=broadcast --connections=1000 \
		--search='p99<10ms' --search_from=10 --search_precision=10 --warm_up=500ms \
		--duration=2s
}

PARTS=(connect echo fanout latency across beside small direct streams mixed protocols search)

# ---- the suite

die() {
	echo "suite: $*" >&2
	exit 1
}

has_cores() {
	command -v taskset >/dev/null && taskset -c "$GATEWAY_CORE,$TOOL_CORE" true 2>/dev/null
}

# A JSON array of the files.
collect() {
	local separator='['
	for file in "$@"; do
		echo "$separator"
		cat "$file"
		separator=','
	done
	echo ']'
}

PIN=()
if has_cores; then
	PIN=(taskset -c "$TOOL_CORE")
fi
case ${1:-} in
--list)
	printf '%s\n' "${PARTS[@]}"
	exit
	;;
--inside)
	"part_$2"
	exit
	;;
esac

chosen=("$@")
((${#chosen[@]})) || chosen=("${PARTS[@]}")
for part in "${chosen[@]}"; do
	[[ " ${PARTS[*]} " == *" $part "* ]] || die "there is no part $part; --list names them"
done
[[ -x $BENCH ]] || die "$BENCH is not built: make build"
SUITE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-suite.XXXXXX")
export SUITE_DIR SECONDS_EACH
trap 'rm -rf "$SUITE_DIR"' EXIT
# A part handles a Ctrl-C by ending in order, which would look to us as if we should go on.
trap 'exit 130' INT TERM HUP
touch "$SUITE_DIR/problems"

export GATEWAYS ROUTERS=1 PRESENCE=1
if ((${#PIN[@]})); then
	export CORES_GATEWAY=$GATEWAY_CORE CORES_REST=$TOOL_CORE
	echo "suite: gateways on core $GATEWAY_CORE, everything else on core $TOOL_CORE"
else
	echo 'suite: one core only, or no taskset: nothing is pinned'
fi
for part in "${chosen[@]}"; do
	GATEWAYS=1
	[[ $part != across ]] || GATEWAYS=2
	bench/cluster.sh "$PWD/bench/suite.sh" --inside "$part" || echo "part $part ended early" >>"$SUITE_DIR/problems"
done

mapfile -t files < <(find "$SUITE_DIR" -name '*.json' -size +0 | sort)
((${#files[@]})) || die 'nothing could be measured'
mkdir -p "$RESULTS"
collect "${files[@]}" >"$RESULTS/$NAME.json"
"$BENCH" --report="$(IFS=, && echo "${files[*]}")" --html="$RESULTS/$NAME.html" \
	--markdown="$RESULTS/$NAME.md"
echo
cat "$RESULTS/$NAME.md"
echo "suite: $RESULTS/$NAME.md, .html, .json; ${SECONDS}s"
if [[ -s $SUITE_DIR/problems ]]; then
	echo 'suite: not all is well:' >&2
	cat "$SUITE_DIR/problems" >&2
	exit "$EXIT_UNEXPECTED"
fi
