#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes the keys of compose.yaml, in the folder "secrets" beside it:  sudo deploy/compose/secrets.sh
#
# Once: files that are there stay as they are. Containers run as 10001, and read only what others may not, so
# that the files become theirs; Redis's come from root and are handed on by its entrypoint.
set -euo pipefail
cd "$(dirname "$0")"

random_key() {
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

umask 077
mkdir -p secrets
chmod 711 secrets
for name in link.key token.key auth.key admin.token redis.password; do
	[[ -s secrets/$name ]] || random_key >"secrets/$name"
	if ((EUID == 0)); then
		chown 10001:10001 "secrets/$name"
	elif [[ $(stat -c %u "secrets/$name") != 10001 ]]; then
		echo "secrets/$name: not root, so it stays yours; a container that runs as 10001 cannot read it" >&2
	fi
done
# What docs/PRESENCE.md and docs/OPERATING.md say presence and routers need; Redis is told the hash of
# each line of the file, as those that a rotation goes by are all tried.
rights='+ping +role +select +evalsha +script|load +time +exists +get +getdel +set +del +incr +mget +pexpire +hget +hmget +hset +hdel'
rights+=' +hgetall +hvals +hkeys +hlen +hexists +hstrlen +hincrby +sadd +srem +spop +scard +zadd +zrem +zscore +zincrby +zcard +zrange'
rights+=' +zpopmin +xread +xadd +xrange +xrevrange'
# None is not hashed as the empty one, which would let everybody in.
passwords=
while IFS= read -r password || [[ -n $password ]]; do
	password=${password%$'\r'}
	[[ -z $password ]] || passwords+=" #$(printf %s "$password" | sha256sum | cut -d' ' -f1)"
done <secrets/redis.password
[[ -n $passwords ]] || {
	echo 'secrets/redis.password: there is no password in it' >&2
	exit 1
}
printf 'user default off\nuser heliograph on%s resetkeys ~{heliograph}:* ~heliograph:state:* resetchannels -@all %s\n' \
	"$passwords" "$rights" >secrets/users.acl.new
chmod 644 secrets/users.acl.new
mv secrets/users.acl.new secrets/users.acl
