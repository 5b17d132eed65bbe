#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by redis.sh and sentinel.sh: who is the master. That is said by most of the
# Sentinels that answer, since one that has just begun may not know of a failover yet. When
# none answers, by the one Redis that is a master, for they may all have begun anew.
SECRETS=${SECRETS_DIR:-/run/secrets/redis}
MASTER_NAME=heliograph
ANSWER_SECONDS=2

# $1: host, $2: port, $3: file of the password, then redis-cli's words
ask() {
	host=$1 port=$2 password=$3
	shift 3
	REDISCLI_AUTH=$(cat "$SECRETS/$password") timeout $ANSWER_SECONDS redis-cli -h "$host" -p "$port" "$@" 2>/dev/null
}

ask_sentinels() {
	for i in 0 1 2; do
		ask "sentinel-$i.sentinel" 26379 sentinel.password sentinel get-master-addr-by-name $MASTER_NAME | head -n 1
	done
}

# $1: as which user, $2: the file of its password
ask_servers() {
	for i in 0 1 2; do
		[ "$(ask "redis-$i.redis" 6379 "$2" --user "$1" role | head -n 1)" != master ] || echo "redis-$i.redis"
	done
}

# The host that was named most often, or nothing, on a tie and instead of errors.
most() {
	grep -x '[a-z0-9.-]*[.][a-z0-9.-]*' | sort | uniq -c | sort -rn |
		awk 'NR == 1 { n = $1; host = $2 } NR == 2 && $1 == n { host = "" } END { print host }'
}

# Prints a host, or nothing.
ask_master() {
	master_said=$(ask_sentinels | most)
	[ -n "$master_said" ] || master_said=$(ask_servers "$@" | most)
	echo "$master_said"
}
