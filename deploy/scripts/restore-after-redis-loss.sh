#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# After Redis has lost what it had, or could not be reached for long: sees to it that the
# cluster knows everything again, and says what it does not.
#
#	restore-after-redis-loss.sh [OPTION...]
#
# Who is online comes back by itself: presence notices, and every gateway tells its
# connections again (docs/PRESENCE.md). This waits for that, and compares presence's count with
# the gateways' own. What is not equal after --timeout is mended by restarting presence, one
# replica after the other, with --restart. The state of hubs that was in Redis is gone
# (docs/OPERATING.md, "Redis for hubs"): histories begin anew, and nothing brings them back.
#
# --restart         restart presence when the counts do not meet by themselves
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RESTART=0
while (($#)); do
	case $1 in
	--restart) RESTART=1 ;;
	*) common_option "$1" || wrong_words "$1: no such option" ;;
	esac
	shift
done
need awk curl

# What the gateways have, and what presence knows.
counts() {
	local pod n
	HELD=0
	pods_list gateway || return 1
	for pod in "${PODS[@]}"; do
		n=$(pod_fetch gateway "$pod" /metrics 2>/dev/null | metric gateway_connections) || return 1
		HELD=$((HELD + n))
	done
	KNOWN=
	pods_list presence || return 1
	for pod in "${PODS[@]}"; do
		n=$(pod_fetch presence "$pod" /metrics 2>/dev/null) || return 1
		[[ $(metric presence_redis_away <<<"$n") == 0 ]] || return 1
		[[ $(metric presence_settled <<<"$n") == 1 ]] || return 1
		KNOWN=$(metric presence_connections <<<"$n") || return 1
	done
	[[ -n $KNOWN ]]
}

# Clients come and go between two questions.
are_equal() {
	counts || return 1
	local off=$((HELD > KNOWN ? HELD - KNOWN : KNOWN - HELD))
	((off <= HELD / 100 + 2))
}

if ((DRY_RUN)); then
	counts || die 'presence is not ready, or does not know everything yet'
	say "gateways hold $HELD connections, presence knows $KNOWN"
	exit 0
fi
say 'waiting for presence to reach Redis, and to be told everything'
if ! until_true are_equal; then
	say "gateways hold ${HELD:-?} connections, presence knows ${KNOWN:-?}"
	((RESTART)) || die "not equal after $TIMEOUT s; is Redis there? (presence_redis_away, log event redis.down) Else: --restart"
	k rollout restart statefulset/presence >&2
	k rollout status statefulset/presence "--timeout=${TIMEOUT}s" >&2
	until_true are_equal || die "not equal after a restart of presence, either: gateways ${HELD:-?}, presence ${KNOWN:-?}"
fi
say "gateways hold $HELD connections, presence knows $KNOWN: done"
