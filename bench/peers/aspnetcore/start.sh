#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# start.sh [port]: becomes the server, which prints "listening PORT" and ends on TERM.
# start.sh --build: only builds it, with the SDK at hand; nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")"
out=../../../build/peers/aspnetcore

if [[ ! $out/aspnetcore.dll -nt Program.cs ]]; then
	mkdir -p "$out"
	DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet build --configuration Release --output "$out" \
		-p:BaseIntermediateOutputPath="$PWD/$out/obj/" --nologo --verbosity quiet >&2
	touch "$out/aspnetcore.dll" # it keeps its date when nothing has changed
fi
[[ ${1:-} != --build ]] || exit 0
exec dotnet "$out/aspnetcore.dll" "${1:-0}"
