#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# start.sh [port]: becomes the server, which prints "listening PORT" and ends on TERM.
set -euo pipefail
cd "$(dirname "$0")"
exec env NODE_ENV=production node server.js "${1:-0}"
