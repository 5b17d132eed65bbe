#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A script for Redis as text in C, without its comments:  deploy/script_text.sh NAME FILE...
# The files are put together in their order.
set -euo pipefail

name=$1
shift
echo "static const char script_${name}[] = {"
sed '/^[[:space:]]*--/d; /^[[:space:]]*$/d' "$@" | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g'
echo '0x00 };'
