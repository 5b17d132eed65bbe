#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# podman that leaves nothing behind on the machine: its images are in build/image/, its mounts
# and processes in namespaces that the kernel takes away when it ends, its configuration here.
# Containers of a build share the machine's network, so that apt works in them.
#
#	deploy/image/podman.sh images       podman's own arguments
#	deploy/image/podman.sh --missing    says why it cannot work here, and fails, if so
set -euo pipefail
cd "$(dirname "$0")/../.."

FOLDER=$PWD/build/image
TOOLS=(podman runc conmon netavark mmdebstrap unshare)
PATH=$PATH:/usr/sbin:/sbin:/usr/local/lib/podman:/usr/libexec/podman:/usr/lib/podman # its helpers

# Runs a command in a world of its own, as root of it.
in_world() {
	# shellcheck disable=SC2016 # the $ are the inner shell's
	unshare --mount --pid --fork --kill-child --mount-proc -- sh -c \
		'mount -t tmpfs run /run && mount -t tmpfs shm /dev/shm && exec "$@"' sh "$@"
}

missing() {
	local tool why
	for tool in "${TOOLS[@]}"; do
		if ! command -v "$tool" >/dev/null; then
			echo "$tool is not installed (make deps-image)"
			return
		fi
	done
	if [[ $(id -u) -ne 0 ]]; then
		echo 'containers of this build need root'
	elif ! why=$(in_world true 2>&1); then
		echo "no namespaces here: $why"
	fi
}

# Written each time: the folder may have moved.
configure() {
	mkdir -p "$FOLDER/etc"
	cat >"$FOLDER/etc/containers.conf" <<-EOF
		[containers]
		default_ulimits = ["nofile=20000:20000", "nproc=8192:8192"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		[network]
		network_backend = "netavark"
	EOF
	cat >"$FOLDER/etc/storage.conf" <<-EOF
		[storage]
		driver = "overlay"
		graphroot = "$FOLDER/storage"
		runroot = "/run/containers/storage"
	EOF
	# Debian is what base.sh made, whoever else has an image of that name.
	cat >"$FOLDER/etc/registries.conf" <<-EOF
		unqualified-search-registries = []
		[aliases]
		"debian" = "localhost/debian"
	EOF
}

why=$(missing)
if [[ ${1:-} == --missing ]]; then
	echo "$why"
	[[ -z $why ]]
	exit
fi
if [[ -n $why ]]; then
	echo "podman.sh: $why" >&2
	exit 1
fi
configure
export CONTAINERS_CONF=$FOLDER/etc/containers.conf CONTAINERS_STORAGE_CONF=$FOLDER/etc/storage.conf
export CONTAINERS_REGISTRIES_CONF=$FOLDER/etc/registries.conf
in_world podman "$@"
