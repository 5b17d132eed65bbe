#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes the Secrets of a new cluster, with random keys, as one YAML document on stdout:
#
#	deploy/kubernetes/secrets.sh --redis | kubectl apply -f -
#
#	--redis         also those of components/redis-sentinel: Redis's users and passwords
#	--namespace=NS  where they go; heliograph if not given
#
# Once: each run makes other keys, and those that are there already would be replaced while
# a cluster goes by them. deploy/scripts/rotate-keys.sh changes the keys of one that runs.
set -euo pipefail

NAMESPACE=heliograph
WITH_REDIS=0

# What docs/PRESENCE.md and docs/OPERATING.md say presence and routers need.
PRESENCE_RIGHTS='resetkeys ~{heliograph}:* resetchannels -@all +ping +role +select +evalsha +script|load +xread +mget +get +getdel +set +del +exists +incr +time +hget +hset +hdel +hgetall +hvals +hkeys +hlen +hexists +sadd +srem +spop +scard +zadd +zrem +zscore +zincrby +zcard +zrange +zpopmin +xadd +xrange +xrevrange'
ROUTER_RIGHTS='resetkeys ~heliograph:state:* resetchannels -@all +ping +role +select +evalsha +script|load +time +exists +del +pexpire +hget +hmget +hset +hdel +hstrlen +hincrby +zadd +zrem +zscore +zcard +zrange +zpopmin'
# What Redis's own documentation says replicas and Sentinels need.
REPLICA_RIGHTS='resetkeys resetchannels -@all +psync +replconf +ping +role'
SENTINEL_RIGHTS='resetkeys allchannels -@all +multi +slaveof +replicaof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill'

usage() {
	sed -n '4,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
}

random_key() {
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# name, then key and value in turn
secret() {
	local name=$1
	shift
	printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\n' "$name" "$NAMESPACE"
	printf '  labels:\n    app.kubernetes.io/part-of: heliograph\ntype: Opaque\ndata:\n'
	while (($#)); do
		printf '  %s: %s\n' "$1" "$(printf '%s\n' "$2" | base64 -w 0)"
		shift 2
	done
}

# A line of users.acl: Redis is told the hash, not the password. name, password, rights
user() {
	printf 'user %s on #%s %s' "$1" "$(printf %s "$2" | sha256sum | cut -d' ' -f1)" "$3"
}

base_secrets() {
	secret link link.key "$(random_key)"
	secret clients token.key "$(random_key)" auth.key "$(random_key)"
	secret admin admin.token "$(random_key)"
}

redis_secrets() {
	local presence router replica watch acl
	presence=$(random_key)
	router=$(random_key)
	replica=$(random_key)
	watch=$(random_key)
	acl=$(
		echo 'user default off'
		user heliograph "$presence" "$PRESENCE_RIGHTS"
		echo
		user heliograph-hubs "$router" "$ROUTER_RIGHTS"
		echo
		user replica "$replica" "$REPLICA_RIGHTS"
		echo
		user sentinel "$watch" "$SENTINEL_RIGHTS"
	)
	secret redis-presence redis.password "$presence"
	secret redis-router redis.password "$router"
	secret sentinel sentinel.password "$(random_key)"
	secret redis users.acl "$acl" replica.password "$replica" watch.password "$watch"
}

while (($#)); do
	case $1 in
	--redis) WITH_REDIS=1 ;;
	--namespace=?*) NAMESPACE=${1#*=} ;;
	--help)
		usage
		exit 0
		;;
	*)
		echo "secrets.sh: $1: --redis, --namespace=NS or --help is meant" >&2
		exit 2
		;;
	esac
	shift
done
base_secrets
((WITH_REDIS == 0)) || redis_secrets
