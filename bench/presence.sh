#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What presence costs in Redis: a redis-server of its own on loopback, on core 0, and a
# generator on core 1 that uses the store as presence does (bench/presence/store.c).
#
# It registers CONNECTIONS of USERS, with ids, names, addresses and user agents of a
# realistic length, and tells Redis's memory for each. Then, with all of them there,
# connections come and go in batches, in turns with plain pipelined SADD + EXPIRE, which is
# what keeping a set of connections for each user would take at the least: without records,
# counts, pages, leases, or anybody being told. Medians of ROUNDS.
#
#	CONNECTIONS=1000000 USERS=200000 ROUNDS=7
#	OUT=                file for what is printed, as well
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
CONNECTIONS=${CONNECTIONS:-1000000} USERS=${USERS:-200000} ROUNDS=${ROUNDS:-7} OUT=${OUT:-/dev/null}

die() {
	echo "presence: $*" >&2
	exit 1
}

[[ -x $BUILD/bench/presence/store ]] || die "$BUILD/bench/presence/store is not built: make bench-presence"
command -v redis-server >/dev/null || die "no redis-server: make deps"

DIR=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-presence.XXXXXX")
redis_pid=''
# shellcheck disable=SC2317 # the EXIT trap calls it
finish() {
	if [[ -n $redis_pid ]]; then
		kill "$redis_pid" 2>/dev/null || true
		wait "$redis_pid" 2>/dev/null || true
	fi
	rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

# Runs on one core, if there are two.
on_core() {
	local core=$1
	shift
	if (($(nproc) > 1)); then
		exec taskset -c "$core" "$@"
	fi
	exec "$@"
}

# A port that the kernel has free now.
free_port() {
	node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
		console.log(s.address().port); s.close(); });'
}

port=$(free_port)
(on_core 0 redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$DIR" \
	--maxmemory-policy noeviction >"$DIR/log" 2>&1) &
redis_pid=$!

{
	echo "$(redis-server --version | cut -d' ' -f1-3), $(nproc) cores, $(date -u +%Y-%m-%d), load $(cut -d' ' -f1 /proc/loadavg)"
	(on_core 1 "$BUILD/bench/presence/store" "redis://127.0.0.1:$port" "$redis_pid" \
		"$CONNECTIONS" "$USERS" "$ROUNDS")
} | tee "$OUT"
