#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A million idle connections on one machine, both ends: as many gateway workers and client
# processes as descriptors demand, kept alive with pings, one broadcast half-way that has to
# reach everybody, and a table of where the memory went. Ends with status 0 only when every
# connection was open to the end and the broadcast lost nothing.
#
#	CONNECTIONS=1000000
#	MINUTES=10          how long they are held; a fraction is fine
#	PER_WORKER=17900    connections of a gateway worker, on the average: the kernel deals
#	                    them out by chance, and 20,000 descriptors are a common limit
#	PER_CLIENT=18000    of a client process
#	ROUTERS=2
#	KEEP_ALIVE=60       seconds; SignalR's own 15 would be 133,000 pings a second
#	USERS=0             1: each connection is a user of its own, with a token
#	NEGOTIATE=off       on: each negotiates first
#	PARALLEL=64         connections on the way at once, of each client process
#	JSON=               file for heliograph-bench's result
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
export CONNECTIONS=${CONNECTIONS:-1000000} MINUTES=${MINUTES:-10} PER_WORKER=${PER_WORKER:-17900}
export PER_CLIENT=${PER_CLIENT:-18000} ROUTERS=${ROUTERS:-2} KEEP_ALIVE=${KEEP_ALIVE:-60}
export USERS=${USERS:-0} NEGOTIATE=${NEGOTIATE:-off} PARALLEL=${PARALLEL:-64} JSON=${JSON:-}
OPEN_SECONDS_MAX=$((60 + CONNECTIONS / 500))

die() {
	echo "million: $*" >&2
	exit 1
}

if [[ ! $CONNECTIONS =~ ^[0-9]{1,7}$ ]] || ((CONNECTIONS < 1000)); then
	die "CONNECTIONS=$CONNECTIONS: from 1000 on"
fi
[[ $MINUTES =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "MINUTES=$MINUTES: a number is needed"
HOLD_SECONDS=$(awk -v m="$MINUTES" 'BEGIN { printf "%d", m * 60 }')
((HOLD_SECONDS >= 10)) || die "MINUTES=$MINUTES: 10 seconds at least"

# Runs itself again inside a cluster, whose facts are variables then.
if [[ ${1:-} != inside ]]; then
	[[ -x $BUILD/heliograph-bench ]] || die "$BUILD/heliograph-bench is not built: make build"
	export GATEWAYS=$(((CONNECTIONS + PER_WORKER - 1) / PER_WORKER)) READY_SECONDS_MAX=60
	export GATEWAY_OPTIONS="--keepalive_interval=${KEEP_ALIVE}s --client_timeout=$((2 * KEEP_ALIVE))s ${GATEWAY_OPTIONS:-}"
	exec bench/cluster.sh "$PWD/bench/million.sh" inside
fi

DIR=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-million.XXXXXX")
bench_pid=''
# shellcheck disable=SC2317 # the EXIT trap calls it
finish() {
	if [[ -n $bench_pid ]]; then
		kill -TERM "$bench_pid" 2>/dev/null || true
		wait "$bench_pid" 2>/dev/null || true
	fi
	rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

# pids...: their own memory in kB, shared pages by share.
own_kb() {
	local pid files=()
	for pid in "$@"; do
		[[ ! -r /proc/$pid/smaps_rollup ]] || files+=("/proc/$pid/smaps_rollup")
	done
	cat "${files[@]}" 2>/dev/null | awk '/^Pss:/ { kb += $2 } END { print kb + 0 }'
}

# What the kernel keeps for itself: what is neither free, nor a file's, nor a program's.
kernel_kb() {
	awk '{ m[$1] = $2 } END { print m["MemTotal:"] - m["MemFree:"] - m["Buffers:"] - m["Cached:"] \
		- m["AnonPages:"] - m["SReclaimable:"] }' /proc/meminfo
}

# dentries and inodes of sockets count as reclaimable, though while these are open they are not.
reclaimable_kb() {
	awk '$1 == "SReclaimable:" { print $2 }' /proc/meminfo
}

children() {
	echo "$1"
	pgrep -P "$1" || true
}

row() {
	awk -v name="$1" -v processes="$2" -v before="$3" -v after="$4" -v n="$CONNECTIONS" 'BEGIN {
		printf "| %-22s | %9s | %11.1f | %11.1f | %14.0f |\n", name, processes, before / 1024,
			after / 1024, (after - before) * 1024 / n }'
}

measure() {
	local what=$1
	read -ra clients < <(children "$bench_pid" | paste -sd' ')
	kernel=$(kernel_kb) slab=$(reclaimable_kb)
	gateway=$(own_kb "${gateways[@]}") router=$(own_kb "${routers[@]}")
	presence=$(own_kb "${presences[@]}") client=$(own_kb "${clients[@]}")
	echo
	echo "$what, in MiB:"
	echo
	printf '| %-22s | %9s | %11s | %11s | %14s |\n' part processes before now 'bytes a conn.'
	printf '| %-22s | %9s | %11s | %11s | %14s |\n' --- ---: ---: ---: ---:
	row 'gateway workers' "${#gateways[@]}" "$gateway_0" "$gateway"
	row routers "${#routers[@]}" "$router_0" "$router"
	row presence "${#presences[@]}" "$presence_0" "$presence"
	row clients "${#clients[@]}" 0 "$client"
	row 'kernel, both ends' '' "$((kernel_0 + slab_0))" "$((kernel + slab))"
	row all '' "$((gateway_0 + router_0 + presence_0 + kernel_0 + slab_0))" \
		"$((gateway + router + presence + client + kernel + slab))"
	awk '/^(MemTotal|MemAvailable):/ { printf "%s %.1f GiB  ", $1, $2 / 1048576 } END { print "" }' /proc/meminfo
}

# What pings and the rest cost: ticks of all processes until now.
ticks() {
	local pid sum=0 line
	for pid in "$@"; do
		[[ -r /proc/$pid/stat ]] || continue
		line=$(<"/proc/$pid/stat")
		line=${line##*) }
		# shellcheck disable=SC2086 # fields
		set -- $line
		sum=$((sum + ${12} + ${13}))
	done
	echo "$sum"
}

sum_metric() {
	local admin total=0 value
	for admin in ${GATEWAY_ADMINS//,/ }; do
		value=$({
			printf 'GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$admin" >&3
			awk -v name="$1" '$1 == name { print $2 }' <&3
		} 3<>"/dev/tcp/${admin%:*}/${admin#*:}" 2>/dev/null) || value=0
		total=$((total + ${value:-0}))
	done
	echo "$total"
}

IFS=, read -ra gateways <<<"$GATEWAY_PIDS"
IFS=, read -ra routers <<<"$ROUTER_PIDS"
IFS=, read -ra presences <<<"$PRESENCE_PIDS"
sync
kernel_0=$(kernel_kb) slab_0=$(reclaimable_kb)
gateway_0=$(own_kb "${gateways[@]}") router_0=$(own_kb "${routers[@]}") presence_0=$(own_kb "${presences[@]}")
echo "a gateway worker that holds nothing, in kB: $(awk '/^(VmRSS|RssAnon|RssFile):/ { printf "%s %s  ", $1, $2 }' "/proc/${gateways[0]}/status")"

# connect() looks long for a free port where most are taken, so few are of each address.
SOURCES=$((CONNECTIONS / 5000 + 1))
((SOURCES <= 250)) || SOURCES=250
options=(--url="$URL" --scenario=hold --connections="$CONNECTIONS" --hold="${HOLD_SECONDS}s"
	--workers=$(((CONNECTIONS + PER_CLIENT - 1) / PER_CLIENT)) --keep_alive="${KEEP_ALIVE}s"
	--sources="$SOURCES" --connect_parallel="$PARALLEL" --connect_timeout=120s --warm_up=0 --drain=60s
	--negotiate="$NEGOTIATE" --server_pids=none --json="$DIR/result.json"
	--expect="open>=$CONNECTIONS,closes=0,connect_errors=0,lost=0,duplicates=0,deliveries>=$CONNECTIONS")
((USERS == 0)) || options+=(--token_key="$(<"$AUTH_KEY_FILE")")
began=$SECONDS
"$BUILD/heliograph-bench" "${options[@]}" >"$DIR/log" 2>&1 &
bench_pid=$!
until grep -q ' measure ' "$DIR/log"; do
	kill -0 "$bench_pid" 2>/dev/null || { cat "$DIR/log"; bench_pid=''; die "the clients ended"; }
	((SECONDS - began < OPEN_SECONDS_MAX)) || { tail -n 5 "$DIR/log"; die "not open after $OPEN_SECONDS_MAX s"; }
	sleep 1
done
opened=$SECONDS
echo "open after $((opened - began)) s: $(sum_metric gateway_connections) at the gateways"
sleep "$((HOLD_SECONDS * 2 / 5))"
measure "Before the broadcast, $((SECONDS - opened)) s after the last came"
read -ra clients < <(children "$bench_pid" | paste -sd' ')
ticks_0=$(ticks "${gateways[@]}") client_ticks_0=$(ticks "${clients[@]}") pings_0=$(sum_metric gateway_pings_out_total)
at_0=$SECONDS
sleep "$((HOLD_SECONDS * 2 / 5))"
seconds=$((SECONDS - at_0))
ticks_1=$(ticks "${gateways[@]}") client_ticks_1=$(ticks "${clients[@]}") pings_1=$(sum_metric gateway_pings_out_total)
measure "After it, $((SECONDS - opened)) s after the last came"
awk -v server=$((ticks_1 - ticks_0)) -v client=$((client_ticks_1 - client_ticks_0)) -v s="$seconds" \
	-v pings=$((pings_1 - pings_0)) -v hz="$(getconf CLK_TCK)" 'BEGIN {
	printf "\nDuring %d s, the broadcast included: gateways %.2f cores, clients %.2f cores, %.0f pings out each second\n",
		s, server / hz / s, client / hz / s, pings / s }'
status=0
wait "$bench_pid" || status=$?
bench_pid=''
[[ -z $JSON ]] || cp "$DIR/result.json" "$JSON"
echo
grep -v ' \(connect\|set_up\|set-up\|warm_up\|warm-up\|measure\|drain\|close\) ' "$DIR/log" || true
exit "$status"
