#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the image of a tree with podman, upon a Debian that mmdebstrap makes of the machine's own
# mirrors; no registry is asked. Everything stays in build/image/ (podman.sh).
#
#	deploy/image/build.sh [TREE [TAG [SOURCE_FOLDER]]]
#
# TREE: of this one if none is given. SOURCE_FOLDER: where it is compiled in the container. Times
# in the image are those of the tree's commit, or SOURCE_DATE_EPOCH. The last lines say the
# image's name, size and digest. JOBS: compilers at a time.
set -euo pipefail
cd "$(dirname "$0")/../.."

TREE=${1:-$PWD}
TAG=${2:-localhost/heliograph:$(cat VERSION)}
SOURCE_FOLDER=${3:-/heliograph}
FOLDER=$PWD/build/image
BASE=localhost/debian:bookworm-slim
PODMAN=deploy/image/podman.sh

say() {
	echo "image: $*"
}

# Of the time when somebody has to care: the base is not in the image, only what is built on it.
make_base() {
	say 'making a Debian 12 to build on (mmdebstrap, a minute)'
	mkdir -p "$FOLDER"
	SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --variant=minbase --include=ca-certificates \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		bookworm "$FOLDER/base.tar"
	$PODMAN import --quiet "$FOLDER/base.tar" $BASE >/dev/null
	rm -f "$FOLDER/base.tar"
}

epoch() {
	local time=${SOURCE_DATE_EPOCH:-}
	[[ -n $time ]] || time=$(git -C "$TREE" log -1 --format=%ct 2>/dev/null) || time=0
	echo "$time"
}

# Of the machine's own mirrors: their keys and lists are made for Debian 12, as the base is.
deploy/deps.sh image
$PODMAN image exists $BASE || make_base
say "building $TAG from $TREE"
$PODMAN build --isolation=chroot --pull=never --network=host --timestamp="$(epoch)" \
	--ignorefile="$TREE/deploy/image/Dockerfile.dockerignore" --file="$TREE/deploy/image/Dockerfile" \
	--build-arg=VERSION="$(cat "$TREE/VERSION")" --build-arg=SOURCE_FOLDER="$SOURCE_FOLDER" \
	--build-arg=JOBS="${JOBS:-$(nproc)}" --tag="$TAG" "$TREE" >"$FOLDER/build.log" 2>&1 ||
	{
		tail -n 60 "$FOLDER/build.log"
		say "failed; all of it is in $FOLDER/build.log"
		exit 1
	}
$PODMAN image inspect --format 'image: {{index .RepoTags 0}}: {{.Size}} bytes, {{.Digest}}' "$TAG"
