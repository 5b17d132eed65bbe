#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a Sentinel. It forgets all when it ends, so it begins with what the others say, or
# with redis-0; it finds Sentinels and replicas by itself.
set -eu
DIR=${CONF_DIR:-/etc/redis}
DATA=${DATA_DIR:-/data}
# shellcheck source=deploy/kubernetes/components/redis-sentinel/master.sh
. "$DIR/master.sh"

master=$(ask_master sentinel watch.password)
: "${master:=redis-0.redis}"
echo "sentinel.sh: the master is $master"
# It does not start with a name that has no address yet.
until getent hosts "$master" >/dev/null; do
	sleep 1
done

umask 077
password=$(cat "$SECRETS/sentinel.password")
{
	cat "$DIR/sentinel.conf"
	echo "dir $DATA"
	echo "sentinel announce-ip $NAME.sentinel"
	echo "sentinel announce-port 26379"
	echo "requirepass $password"
	echo "sentinel sentinel-pass $password"
	echo "sentinel monitor $MASTER_NAME $master 6379 2"
	echo "sentinel auth-user $MASTER_NAME sentinel"
	echo "sentinel auth-pass $MASTER_NAME $(cat "$SECRETS/watch.password")"
	echo "sentinel down-after-milliseconds $MASTER_NAME 5000"
	echo "sentinel failover-timeout $MASTER_NAME 15000"
	echo "sentinel parallel-syncs $MASTER_NAME 1"
} >"$DATA/sentinel.conf"
exec redis-server "$DATA/sentinel.conf" --sentinel
