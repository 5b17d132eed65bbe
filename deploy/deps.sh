#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages of the named groups of deploy/packages.txt that are missing,
# and says what it does. When nothing is missing it asks dpkg once and touches nothing.
#
#	deploy/deps.sh build test       install
#	deploy/deps.sh --missing build  only print what is missing
set -euo pipefail

LIST=$(dirname "$0")/packages.txt

# Does "command" or "command>=major" hold on this PATH?
have_command() {
	local command=${1%%>=*} want=${1##*>=} have
	[[ $1 == *'>='* ]] || { command -v "$command" >/dev/null; return; }
	have=$("$command" --version 2>/dev/null | tr -dc '0-9.\n' | head -n 1) || return 1
	[[ -n $have && ${have%%.*} -ge $want ]]
}

# Prints the packages of the groups in "$@" that are not installed.
missing_packages() {
	local -A wanted=() installed=()
	local group name command state package
	while read -r group name command; do
		[[ " $* " == *" $group "* ]] || continue
		if [[ -n $command ]] && have_command "$command"; then
			continue
		fi
		wanted[$name]=1
	done < <(grep -v -e '^#' -e '^$' "$LIST")
	((${#wanted[@]})) || return 0
	# dpkg-query fails when it does not know one of them: that is an answer, not an error.
	while read -r state package; do
		[[ $state == installed ]] && installed[$package]=1
	done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${!wanted[@]}" 2>/dev/null || true)
	for name in "${!wanted[@]}"; do
		[[ -n ${installed[$name]:-} ]] || echo "$name"
	done | sort
}

as_root() {
	if [[ $(id -u) -eq 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "deps: not root and no sudo: run as root: $*" >&2
		return 1
	fi
}

# Some packages bring a service that starts when it is installed, unless Debian's policy-rc.d
# says no. One that is there is the machine's own, and stays.
apt_install() {
	# shellcheck disable=SC2016 # the $ are the inner shell's
	as_root env DEBIAN_FRONTEND=noninteractive sh -c '
		policy=/usr/sbin/policy-rc.d
		if [ ! -e $policy ]; then
			trap "rm -f $policy" EXIT
			trap "exit 1" INT TERM
			printf "#!/bin/sh\nexit 101\n" >$policy && chmod 755 $policy
		fi
		apt-get install -y --no-install-recommends "$@"' sh "$@"
}

# True when apt's lists know every package of "$@".
apt_knows() {
	apt-get install --simulate -qq "$@" >/dev/null 2>&1
}

main() {
	local only_print=0 packages
	if [[ ${1:-} == --missing ]]; then
		only_print=1
		shift
	fi
	if ! command -v dpkg-query >/dev/null; then
		((only_print)) || echo "deps: no dpkg here; install yourself what $LIST lists for: $*"
		return 0
	fi
	if ((only_print)); then
		missing_packages "$@"
		return 0
	fi

	exec 9<"$LIST"
	flock 9 # make -j may ask for two groups at once
	mapfile -t packages < <(missing_packages "$@")
	((${#packages[@]})) || return 0

	echo "deps: installing for $*: ${packages[*]}"
	if ! apt_knows "${packages[@]}"; then
		echo "deps: the package lists are missing or old: apt-get update"
		as_root apt-get update
	fi
	if ! apt_install "${packages[@]}"; then
		echo "deps: that failed; once more with fresh package lists"
		as_root apt-get update
		apt_install "${packages[@]}"
	fi
	echo "deps: installed"
}

main "$@"
