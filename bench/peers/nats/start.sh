#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# start.sh port: becomes the server, which ends on TERM; "listening PORT" is printed once it
# is. It cannot say which port it chose, so one is needed.
set -euo pipefail
cd "$(dirname "$0")"
port=${1:?a port is needed}
server=$$

(
	until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		kill -0 "$server" 2>/dev/null || exit 1
		sleep 0.05
	done
	echo "listening $port"
) &
exec nats-server --config nats.conf --port "$port"
