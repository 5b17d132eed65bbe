#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Whether the image can be made again: builds the last commit from two trees in different folders,
# compiled in different folders too, the second time without what is left of the first, and
# compares the digests.
set -euo pipefail
cd "$(dirname "$0")/../.."

TAG=localhost/heliograph:$(cat VERSION)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-image.XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT

# Of this very tree, if it is as committed, so that it is `make image`'s.
build_first() {
	local tree=$PWD
	if [[ -n $(git status --porcelain) ]]; then
		tree=$SCRATCH/one
		git clone --quiet --no-hardlinks . "$tree"
	fi
	deploy/image/build.sh "$tree" "$TAG"
}

# With other rights on the files, too.
build_second() {
	(umask 077 && git clone --quiet --no-hardlinks . "$SCRATCH/another/folder")
	deploy/image/build.sh "$SCRATCH/another/folder" "$TAG-again" /tmp/built/elsewhere
}

digest() {
	deploy/image/podman.sh image inspect --format '{{.Digest}}' "$1"
}

if ! why=$(deploy/image/podman.sh --missing); then
	echo "SKIPPED: image-check: $why"
	exit 0
fi
build_first
build_second
first=$(digest "$TAG")
second=$(digest "$TAG-again")
echo "image-check: $first"
echo "image-check: $second"
if [[ $first != "$second" ]]; then
	echo 'image-check: two builds of one commit differ'
	exit 1
fi
echo 'image-check: the same, bit for bit'
