#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A whole cluster on this machine's loopback, in the foreground: presence, the routers, one
# gateway with its workers. `make run` builds first and then becomes this script. Every line
# of log carries its process's name. It says where everything is once all are ready; Ctrl-C
# or TERM drains and ends every process. When one dies by itself, so does all: restarting is
# not this script's job.
#
#	PORT=8080        clients and the demo page
#	ADMIN_PORT=8090  presence; its further replicas, the routers and then the gateway's
#	                 processes follow
#	GATEWAYS=1       gateway workers, all on PORT
#	ROUTERS=2        router shards
#	REDIS=           where presence keeps who is here, and hubs their state:
#	                 redis://127.0.0.1:6379; empty: in memory
#	PRESENCES=1      replicas of presence, which share that Redis
#	LOG_LEVEL=info   of all of them
set -euo pipefail
cd "$(dirname "$0")/../.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
READY_SECONDS_MAX=20
STOP_SECONDS_MAX=5
DRAIN_SECONDS=3
HUBS=chat,notifications,collaboration,livedata,relay # all that are built in, also those that are off unless they are named
SOCKET_PATH_MAX=100 # of the 107 bytes a Unix socket's path may have

die() {
	echo "run: $*" >&2
	exit 1
}

# name, value, min, max
check_number() {
	if [[ ! $2 =~ ^[0-9]{1,5}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
		die "$1=$2: a number from $3 to $4 is needed"
	fi
}

check_number PORT "${PORT:=8080}" 1 65535
check_number GATEWAYS "${GATEWAYS:=1}" 1 64
check_number ROUTERS "${ROUTERS:=2}" 1 64
check_number PRESENCES "${PRESENCES:=1}" 1 8
((PRESENCES == 1)) || [[ -n ${REDIS:-} ]] ||
	die "PRESENCES=$PRESENCES: replicas share what they know in a Redis, which REDIS= has to name"
check_number ADMIN_PORT "${ADMIN_PORT:=8090}" 1 $((65535 - PRESENCES - ROUTERS - GATEWAYS))
ROUTER_ADMIN=$((ADMIN_PORT + PRESENCES))
GATEWAY_ADMIN=$((ROUTER_ADMIN + ROUTERS))
ADMIN_LAST=$((GATEWAY_ADMIN + GATEWAYS))
if ((PORT >= ADMIN_PORT && PORT <= ADMIN_LAST)); then
	die "PORT=$PORT is one of the admin ports $ADMIN_PORT to $ADMIN_LAST: choose another"
fi

port_is_free() {
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port_is_free "$PORT" || die "port $PORT is busy: make run PORT=<another>"
for ((port = ADMIN_PORT; port <= ADMIN_LAST; port++)); do
	port_is_free "$port" ||
		die "admin port $port is busy: make run ADMIN_PORT=<another> ($ADMIN_LAST is the last used)"
done
for program in gateway router presence; do
	[[ -x $BUILD/heliograph-$program ]] || die "$BUILD/heliograph-$program is not built: make build"
done

umask 077
DIR=$(mktemp -d "${TMPDIR:-/tmp}/heliograph.XXXXXX")
((${#DIR} + 8 <= SOCKET_PATH_MAX)) || die "the path of $DIR is too long for a socket: set TMPDIR"
declare -A name_of=() # pid -> name
declare -A pid_of=()

# TERM to each process, five seconds, then KILL to what is left, its workers included.
# shellcheck disable=SC2317 # the EXIT trap calls it
stop_all() {
	local pid deadline=$((SECONDS + STOP_SECONDS_MAX)) left
	trap '' INT TERM HUP
	for pid in "${!name_of[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	while left=0 && ((SECONDS < deadline)); do
		for pid in "${!name_of[@]}"; do
			! kill -0 "$pid" 2>/dev/null || left=1
		done
		((left)) || break
		sleep 0.05
	done
	for pid in "${!name_of[@]}"; do
		! kill -0 "$pid" 2>/dev/null || echo "run: ${name_of[$pid]} does not stop: killed" >&2
		kill -KILL -- "-$pid" 2>/dev/null || true # each leads a process group of its own
	done
	wait 2>/dev/null
	rm -rf "$DIR"
}
trap stop_all EXIT
trap 'echo "run: stopping"; exit 0' INT TERM HUP

# Copies a process's lines out under its name, keeps its ready lines. Outlives a Ctrl-C, so
# that the drain is still seen.
show_lines() {
	trap '' INT TERM HUP
	exec sed -u -e "/^ready /w $DIR/$1.ready" -e "s/^/$(printf '%-3s' "$1")| /"
}

# name, program, its further options. In a session of its own, so that a Ctrl-C reaches it
# once, from us, and with an end when this script is killed outright.
start() {
	local name=$1 program=$2
	shift 2
	setsid setpriv --pdeathsig TERM "$BUILD/heliograph-$program" --name="$name" \
		--link_key_file="$DIR/link.key" --log_level="${LOG_LEVEL:-info}" \
		--drain_timeout="${DRAIN_SECONDS}s" "$@" \
		> >(show_lines "$name") 2>&1 &
	name_of[$!]=$name
	pid_of[$name]=$!
}

# A single process is ready with its own line, a gateway with workers when all have said so.
is_ready() {
	local lines=0
	[[ $1 != g1 ]] || ((GATEWAYS == 1)) || lines=$GATEWAYS
	grep -qs "^ready .*\bpid=${pid_of[$1]}\b" "$DIR/$1.ready" &&
		(($(wc -l <"$DIR/$1.ready") > lines))
}

wait_ready() {
	local name deadline=$((SECONDS + READY_SECONDS_MAX))
	for name in "$@"; do
		until is_ready "$name"; do
			kill -0 "${pid_of[$name]}" 2>/dev/null ||
				die "$name ended while starting; its lines above say why"
			((SECONDS < deadline)) ||
				die "$name is not ready after $READY_SECONDS_MAX s; see its lines above"
			sleep 0.05
		done
	done
}

for key in link token auth; do
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$DIR/$key.key"
done

routers=''
for ((i = 1; i <= ROUTERS; i++)); do
	routers+="${routers:+,}r$i=ipc://$DIR/r$i.sock"
done
presences=''
for ((i = 1; i <= PRESENCES; i++)); do
	presences+="${presences:+,}p$i=ipc://$DIR/p$i.sock"
done
loopback=127.0.0.1

names=()
for ((i = 1; i <= PRESENCES; i++)); do
	start "p$i" presence --link_listen="ipc://$DIR/p$i.sock" --redis="${REDIS:-}" \
		--admin_listen="$loopback:$((ADMIN_PORT + i - 1))"
	names+=("p$i")
done
for ((i = 1; i <= ROUTERS; i++)); do
	start "r$i" router --routers="$routers" --presence="$presences" --hubs="$HUBS" \
		--redis="${REDIS:-}" --admin_listen="$loopback:$((ROUTER_ADMIN + i - 1))"
	names+=("r$i")
done
start g1 gateway --routers="$routers" --presence="$presences" --hubs="$HUBS" \
	--workers="$GATEWAYS" --listen="$loopback:$PORT" --admin_listen="$loopback:$GATEWAY_ADMIN" \
	--token_key_file="$DIR/token.key" --auth_key_file="$DIR/auth.key" \
	--dev=on --demo_dir=deploy/demo/site
names+=(g1)
wait_ready "${names[@]}"

cat <<EOF
+--------------------------------------------------------------------------
| Heliograph is ready: $GATEWAYS gateway worker(s), $ROUTERS router(s), $PRESENCES presence
|
|   demo page    http://$loopback:$PORT/
|   hubs         http://$loopback:$PORT/hubs/<name>
|   token        POST http://$loopback:$PORT/dev/token  {"userId": "ann"}
|   who is here  http://$loopback:$ADMIN_PORT/api/v1/users
|   metrics      http://$loopback:$ADMIN_PORT/metrics, routers from $ROUTER_ADMIN,
|                gateway from $GATEWAY_ADMIN
|
| Ctrl-C ends all.
+--------------------------------------------------------------------------
EOF

# Whoever ends first ends all: nothing here ends by itself.
status=0
wait -n -p ended "${pid_of[@]}" || status=$?
die "${name_of[$ended]} ended by itself with status $status; stopping the others"
