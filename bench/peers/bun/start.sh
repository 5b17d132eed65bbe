#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# start.sh [port]: becomes the server, which prints "listening PORT" and ends on TERM.
# npm installs the binary of this system and processor only.
set -euo pipefail
cd "$(dirname "$0")"
exec node_modules/@oven/bun-*/bin/bun server.js "${1:-0}"
