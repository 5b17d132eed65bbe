#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs another number of routers, while all goes on:
#
#	scale-routers.sh N [OPTION...]
#
# More: the pods come first, then presence takes the cluster over to them. Fewer: presence
# has those that leave hand over what they own, and their pods end when they own nothing.
# The number belongs into the overlay too (replicas of the StatefulSet router), or the next
# "kubectl apply" brings the old one back.
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

N=
while (($#)); do
	case $1 in
	-*) common_option "$1" || wrong_words "$1: no such option" ;;
	*)
		if [[ -n $N ]] || ! is_number "$1" || (($1 == 0)); then
			wrong_words "$1: one number, 1 or more, is meant, without zeros in front"
		fi
		N=$1
		;;
	esac
	shift
done
[[ -n $N ]] || wrong_words 'how many routers?'
((N <= 256)) || wrong_words "$N: a cluster has 256 routers at most"

# The routers that own keys.
owners() {
	sed -n 's/.*"routers": *\[\([^]]*\)\].*/\1/p' | grep -o '"name"' | grep -c .
}

is_at_rest() {
	local map
	map=$(ctl routers --json) || return 1
	[[ $(json_text phase <<<"$map") == stable && $(json_text state <<<"$map") == rest ]] || return 1
	[[ $(owners <<<"$map") == "$N" ]]
}

# How many there are to be, for presence; it is told by its environment, and so begins anew.
target_set() {
	say "presence: the cluster is to have $N routers"
	change k set env statefulset/presence "ROUTER_COUNT=$N" >&2
	change k rollout status statefulset/presence "--timeout=${TIMEOUT}s" >&2
	until_done "$N routers that own keys, and rest" is_at_rest
}

pods_set() {
	say "pods: $N routers"
	change k scale statefulset/router "--replicas=$N" >&2
	change k rollout status statefulset/router "--timeout=${TIMEOUT}s" >&2
}

# Where gateways and routers that start from now on begin.
start_set() {
	change k patch configmap cluster --type=merge -p "{\"data\":{\"routers\":\"$N\"}}" >&2
}

NOW=$(replicas statefulset/router)
is_number "$NOW" || die "StatefulSet router: how many there are was answered by '$NOW'"
if ((N >= NOW)); then
	pods_set
	target_set
	start_set
else
	target_set
	start_set
	pods_set
fi
say 'done'
