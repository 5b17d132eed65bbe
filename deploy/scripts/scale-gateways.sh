#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs another number of gateways:
#
#	scale-gateways.sh N [OPTION...]
#
# Those that go hand their clients over first (docs/OPERATING.md, "Signals and exit"); this
# waits until they are gone and all that stay are ready. Before any goes, a change of routers
# that is under way has to be over, for no client is handed over meanwhile. With an
# autoscaler its bounds are changed so that N is within them, and --pin makes N both: else
# it goes on deciding.
#
# --pin             the autoscaler may choose nothing but N
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

N=
PIN=0
while (($#)); do
	case $1 in
	--pin) PIN=1 ;;
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
[[ -n $N ]] || wrong_words 'how many gateways?'

is_as_many() {
	[[ $(pods gateway --ending | grep -c .) == "$N" ]]
}

NOW=$(replicas deployment/gateway)
is_number "$NOW" || die "Deployment gateway: how many there are was answered by '$NOW'"
if ((N < NOW)); then
	# Who has just told presence of another number of routers waits for this, too.
	change k rollout status statefulset/presence "--timeout=${TIMEOUT}s" >&2
	until_done 'the routers to stay as they are' routers_stay
fi
bounds=$(k get hpa gateway --ignore-not-found -o 'jsonpath={.spec.minReplicas} {.spec.maxReplicas}')
if [[ -n $bounds ]]; then
	read -r least most <<<"$bounds"
	if ((PIN)); then
		least=$N most=$N
	fi
	((N >= least)) || least=$N
	((N <= most)) || most=$N
	if [[ "$least $most" != "$bounds" ]]; then
		say "the autoscaler's bounds: $least to $most"
		change k patch hpa gateway --type=merge -p "{\"spec\":{\"minReplicas\":$least,\"maxReplicas\":$most}}" >&2
	fi
fi
say "gateways: $N"
change k scale deployment/gateway "--replicas=$N" >&2
change k rollout status deployment/gateway "--timeout=${TIMEOUT}s" >&2
# Those that drain are there until their clients have gone over.
until_done "$N gateways, and no other" is_as_many
say 'done'
