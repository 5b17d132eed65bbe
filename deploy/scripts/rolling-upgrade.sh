#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings another image to a cluster that runs:
#
#	rolling-upgrade.sh IMAGE [OPTION...]
#
# Presence first, then the routers one at a time, then the gateways, which hand over their
# clients: each part is all there and ready before the next begins. Neighbouring versions of
# the link protocol work together (docs/LINK.md, "Versions"), so this goes from any version
# to the next, and back: the same command with the old image. Two steps at once is two runs.
# A part that has the image already is left alone: what was stopped half-way is run again.
# The image belongs into the overlay too ("images:").
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

IMAGE=
while (($#)); do
	case $1 in
	-*) common_option "$1" || wrong_words "$1: no such option" ;;
	*)
		[[ -z $IMAGE ]] || wrong_words "$1: one image is meant"
		IMAGE=$1
		;;
	esac
	shift
done
[[ -n $IMAGE ]] || wrong_words 'which image?'

image_of() {
	k get "$1" -o 'jsonpath={.spec.template.spec.containers[0].image}'
}

# component, its object
upgrade() {
	local now
	now=$(image_of "$2")
	if [[ $now == "$IMAGE" ]]; then
		say "$1: is $IMAGE"
		change k rollout status "$2" "--timeout=${TIMEOUT}s" >&2
		return
	fi
	say "$1: from $now to $IMAGE"
	change k set image "$2" "$1=$IMAGE" >&2
	if ! change k rollout status "$2" "--timeout=${TIMEOUT}s" >&2; then
		say "$1 did not become ready in $TIMEOUT s; nothing else was touched. Back again:"
		die "  $0 $now"
	fi
}

# Nobody is to go while a router is missing, or owns what it is about to hand over.
is_whole() {
	routers_stay && ! grep -q '"isHere": *false' <<<"$MAP"
}

until_done 'a cluster with all its routers' is_whole
upgrade presence statefulset/presence
until_done 'a cluster with all its routers' is_whole
upgrade router statefulset/router
until_done 'a cluster with all its routers' is_whole
upgrade gateway deployment/gateway
say 'done'
