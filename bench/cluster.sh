#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A cluster to be measured, on this machine's loopback: the bench hub, no rate limits, little
# logging, cores of its own if wanted. `deploy/local/run.sh` is the one to try things with.
#
#	bench/cluster.sh                  one line of facts on stdout once all is ready, then it
#	                                  stays until INT or TERM
#	bench/cluster.sh COMMAND [ARG...] the same facts as variables of COMMAND, whose status is
#	                                  the script's
#
# Facts: URL, GATEWAY_PIDS (workers), ROUTER_PIDS, PRESENCE_PIDS, GATEWAY_ADMINS, ROUTER_ADMINS
# (address:port of /metrics), AUTH_KEY_FILE (the HS256 key of tokens), LOG. Lists have commas.
#
#	PORT=0           of the clients; 0: the kernel chooses
#	GATEWAYS=1       gateway workers, all on PORT
#	ROUTERS=1        router shards
#	PRESENCE=1       0: without
#	DEV=off          on: POST /dev/token
#	CORES_GATEWAY=   cores of the gateway workers, as taskset -c wants them; empty: any
#	CORES_REST=      cores of the routers and of presence
#	GATEWAY_OPTIONS= further options, also ROUTER_OPTIONS and PRESENCE_OPTIONS
#	LOG=             folder of the logs; empty: one that is removed when all went well
#	LOG_LEVEL=warn
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
READY_SECONDS_MAX=${READY_SECONDS_MAX:-20}
STOP_SECONDS_MAX=5
SOCKET_PATH_MAX=100 # of the 107 bytes a Unix socket's path may have
LOOPBACK=127.0.0.1

keeps_log=0
command_pid=''

die() {
	keeps_log=1
	echo "cluster: $*" >&2
	exit 1
}

# name, value, min, max
check_number() {
	if [[ ! $2 =~ ^[0-9]{1,5}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
		die "$1=$2: a number from $3 to $4 is needed"
	fi
}

check_number PORT "${PORT:=0}" 0 65535
check_number GATEWAYS "${GATEWAYS:=1}" 1 256
check_number ROUTERS "${ROUTERS:=1}" 1 64
check_number PRESENCE "${PRESENCE:=1}" 0 1
for program in gateway router presence; do
	[[ -x $BUILD/heliograph-$program ]] || die "$BUILD/heliograph-$program is not built: make build"
done
[[ -r $BUILD/bench_hub.so ]] || die "$BUILD/bench_hub.so is not built: make build"
ulimit -S -n hard

umask 077
DIR=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-bench.XXXXXX")
((${#DIR} + 8 <= SOCKET_PATH_MAX)) || die "the path of $DIR is too long for a socket: set TMPDIR"
OWN_LOG=${LOG:-}
LOG=${LOG:-$DIR/log}
mkdir -p "$LOG"
LOG=$(cd "$LOG" && pwd)
declare -A name_of=() # pid -> name
declare -A pid_of=()

# shellcheck disable=SC2317 # stop_all calls it
any_lives() {
	local pid
	for pid in "${!name_of[@]}" $command_pid; do
		! kill -0 "$pid" 2>/dev/null || return 0
	done
	return 1
}

# TERM to each process, five seconds, then KILL to what is left, its workers included.
# shellcheck disable=SC2317 # the EXIT trap calls it
stop_all() {
	local pid deadline=$((SECONDS + STOP_SECONDS_MAX))
	trap '' INT TERM HUP
	for pid in $command_pid "${!name_of[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	while any_lives && ((SECONDS < deadline)); do
		sleep 0.05
	done
	for pid in "${!name_of[@]}"; do
		! kill -0 "$pid" 2>/dev/null || echo "cluster: ${name_of[$pid]} does not stop: killed" >&2
		kill -KILL -- "-$pid" 2>/dev/null || true # each leads a process group of its own
	done
	[[ -z $command_pid ]] || kill -KILL "$command_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	if ((keeps_log && ${#name_of[@]} > 0)) && [[ -z $OWN_LOG ]]; then
		echo "cluster: the logs are in $LOG" >&2
		rm -rf "$DIR"/*.key "$DIR"/*.sock
	else
		rm -rf "$DIR"
	fi
}
trap stop_all EXIT
# To be told to end is how it ends, but not how its command does.
trap 'exit $((command_pid ? 143 : 0))' INT TERM HUP

# name, cores, program, its further options. In a session of its own, so that a Ctrl-C does
# not reach it, and with an end when this script is killed outright.
start() {
	local name=$1 cores=$2 program=$3
	local -a pin=()
	shift 3
	[[ -z $cores ]] || pin=(taskset -c "$cores")
	: >"$LOG/$name.ready"
	setsid setpriv --pdeathsig TERM "${pin[@]}" "$BUILD/heliograph-$program" --name="$name" \
		--link_key_file="$DIR/link.key" --log_level="${LOG_LEVEL:-warn}" --drain_timeout=1s \
		"$@" >"$LOG/$name.ready" 2>"$LOG/$name.log" &
	name_of[$!]=$name
	pid_of[$name]=$!
}

# name, key: what its ready lines say, those of workers if it has any.
said() {
	local lines="$LOG/$1.ready"
	{ grep "^ready .*\bname=$1\.[0-9]" "$lines" || grep "^ready " "$lines"; } |
		grep -o "\b$2=[^ ]*" | cut -d= -f2 | paste -sd,
}

# address: /readyz says 200.
answers_ready() {
	local status=''
	{
		printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" >&3
		read -r _ status _ <&3
	} 2>/dev/null 3<>"/dev/tcp/${1%:*}/${1#*:}" || return 1
	[[ $status == 200 ]]
}

# A single process is ready with its own line, a gateway with workers when all have said so;
# and then when its links are up.
is_ready() {
	local lines=1 admin
	[[ $1 != g1 ]] || ((GATEWAYS == 1)) || lines=$((GATEWAYS + 1))
	(($(grep -c '^ready ' "$LOG/$1.ready") >= lines)) || return 1
	for admin in $(said "$1" admin | tr , ' '); do
		answers_ready "$admin" || return 1
	done
}

wait_ready() {
	local name deadline=$((SECONDS + READY_SECONDS_MAX))
	for name in "$@"; do
		until is_ready "$name"; do
			kill -0 "${pid_of[$name]}" 2>/dev/null ||
				die "$name ended while starting: $(tail -n 3 "$LOG/$name.log")"
			((SECONDS < deadline)) ||
				die "$name is not ready after $READY_SECONDS_MAX s: $(tail -n 3 "$LOG/$name.log")"
			sleep 0.05
		done
	done
}

for key in link token auth; do
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$DIR/$key.key"
done

routers=''
names=()
for ((i = 1; i <= ROUTERS; i++)); do
	routers+="${routers:+,}r$i=ipc://$DIR/r$i.sock"
	names+=("r$i")
done
common=(--routers="$routers" --hubs=bench --admin_listen="$LOOPBACK:0")
read -ra gateway_options <<<"${GATEWAY_OPTIONS:-}"
read -ra router_options <<<"${ROUTER_OPTIONS:-}"
read -ra presence_options <<<"${PRESENCE_OPTIONS:-}"
no_limits=(--connections_max=1000000 --messages_per_second_max=0 --bytes_per_second_max=0
	--user_connections_max=0 --user_negotiates_per_minute_max=0 --address_connections_max=0
	--address_negotiates_per_minute_max=0 --address_auth_failed_per_minute_max=0
	--address_ids_unknown_per_minute_max=0)

if ((PRESENCE)); then
	common+=(--presence="p1=ipc://$DIR/p1.sock")
	names+=(p1)
	start p1 "${CORES_REST:-}" presence --link_listen="ipc://$DIR/p1.sock" \
		--admin_listen="$LOOPBACK:0" --sessions_max=2000000 "${presence_options[@]}"
fi
for ((i = 1; i <= ROUTERS; i++)); do
	start "r$i" "${CORES_REST:-}" router "${common[@]}" --hub_module="$BUILD/bench_hub.so" \
		"${router_options[@]}"
done
start g1 "${CORES_GATEWAY:-}" gateway "${common[@]}" --workers="$GATEWAYS" \
	--listen="$LOOPBACK:$PORT" --token_key_file="$DIR/token.key" \
	--auth_key_file="$DIR/auth.key" --dev="${DEV:-off}" "${no_limits[@]}" "${gateway_options[@]}"
wait_ready "${names[@]}" g1

# key: what all router shards say.
said_all() {
	local i
	for ((i = 1; i <= ROUTERS; i++)); do
		said "r$i" "$1"
	done | paste -sd,
}

URL=http://$(said g1 http | cut -d, -f1)/hubs/bench
GATEWAY_PIDS=$(said g1 pid)
ROUTER_PIDS=$(said_all pid)
PRESENCE_PIDS=$( ((PRESENCE == 0)) || said p1 pid)
GATEWAY_ADMINS=$(said g1 admin)
ROUTER_ADMINS=$(said_all admin)
AUTH_KEY_FILE=$DIR/auth.key
facts=(URL GATEWAY_PIDS ROUTER_PIDS PRESENCE_PIDS GATEWAY_ADMINS ROUTER_ADMINS AUTH_KEY_FILE LOG)
export URL GATEWAY_PIDS ROUTER_PIDS PRESENCE_PIDS GATEWAY_ADMINS ROUTER_ADMINS AUTH_KEY_FILE LOG

# Whoever ends first ends all: nothing here ends by itself.
if (($# > 0)); then
	"$@" &
	command_pid=$!
else
	line=''
	for fact in "${facts[@]}"; do
		value=${!fact}
		[[ ! $value =~ [^A-Za-z0-9_.,:/-] ]] || printf -v value %q "$value"
		line+="${line:+ }$fact=$value"
	done
	echo "$line"
fi
status=0
# shellcheck disable=SC2086 # empty: no such process
wait -n -p ended "${pid_of[@]}" $command_pid || status=$?
if [[ $ended == "$command_pid" ]]; then
	command_pid=''
	exit "$status"
fi
die "${name_of[$ended]} ended by itself with status $status: $(tail -n 3 "$LOG/${name_of[$ended]}.log")"
