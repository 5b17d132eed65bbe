#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a Redis as what it is to be: a replica of the master that the others name, or,
# in a new cluster, of redis-0, which begins as the master.
#
# A master that comes back has nothing, and its replicas would throw away what they have.
# So it waits until the Sentinels, who see it gone, have made another one the master; if
# they have not after WAIT_SECONDS, there is none with anything to lose.
set -eu
DIR=${CONF_DIR:-/etc/redis}
DATA=${DATA_DIR:-/data}
WAIT_SECONDS=${WAIT_SECONDS:-30}
# shellcheck source=deploy/kubernetes/components/redis-sentinel/master.sh
. "$DIR/master.sh"

self=$NAME.redis
master=$(ask_master replica replica.password)
waited=0
while [ "$master" = "$self" ] && [ "$waited" -lt "$WAIT_SECONDS" ]; do
	[ "$waited" -gt 0 ] || echo "redis.sh: $self was the master and is empty: waiting for another one"
	sleep 1
	waited=$((waited + 1))
	master=$(ask_master replica replica.password)
done
echo "redis.sh: the master is ${master:-redis-0.redis, as nobody knows one}"
: "${master:=redis-0.redis}"

umask 077
{
	cat "$DIR/redis.conf"
	echo "dir $DATA"
	echo "aclfile $SECRETS/users.acl"
	echo "masteruser replica"
	echo "masterauth $(cat "$SECRETS/replica.password")"
	echo "replica-announce-ip $self"
	[ "$master" = "$self" ] || echo "replicaof $master 6379"
} >"$DATA/redis.conf"
exec redis-server "$DATA/redis.conf"
