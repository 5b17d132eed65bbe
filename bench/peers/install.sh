#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the peers that are compared with, those of $PEERS or all, from the registries of
# Debian and npm. What cannot be had is told and left out: bench/peers/run.js lists it as
# absent. ASP.NET Core's is built with the SDK that is here, or not at all.
set -euo pipefail
cd "$(dirname "$0")/../.."

wants() {
	[[ -z ${PEERS:-} || " $PEERS " == *" $1 "* ]]
}

# Named by its folder; npm's binaries come as packages, no script of theirs is run.
npm_install() {
	local folder=bench/peers/$1 stamp=bench/peers/$1/node_modules/.installed
	if [[ $stamp -nt $folder/package-lock.json ]]; then
		return 0
	fi
	echo "  NPM      $folder"
	(cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && touch node_modules/.installed)
}

failed() {
	echo "bench-peers: $1 could not be installed and is left out"
}

! wants nats || deploy/deps.sh peers || failed nats-server
! wants bun || npm_install bun || failed Bun
! wants socketio || npm_install socketio || failed Socket.IO
if wants aspnetcore && command -v dotnet >/dev/null; then
	bench/peers/aspnetcore/start.sh --build || failed "ASP.NET Core's"
fi
