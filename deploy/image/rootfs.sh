#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Lays out the root folder of the image, in the image's build stage: the programs without their
# symbols, the shared libraries that they and those need, and what belongs to that (certificates
# of authorities, OpenSSL's configuration, who user 10001 is, licences). Also what is in it and
# where it came from, as /usr/share/doc/heliograph/sbom.cdx.json, in CycloneDX's format; dpkg knows. What was
# linked into the programs for good counts too: the linker said it (--trace) into LINK_LOG.
#
#	deploy/image/rootfs.sh BUILD_FOLDER LINK_LOG ROOT DEBUG
#
# DEBUG gets the symbols, by build id, as debuggers look for them.
set -euo pipefail

BUILD=$1
LINK_LOG=$2
ROOT=$3
DEBUG=$4
PROGRAMS=(gateway router presence)
USER_ID=10001
DOC=$ROOT/usr/share/doc
AUTHORITIES=/etc/ssl/certs/ca-certificates.crt
OPENSSL_CONF=/etc/ssl/openssl.cnf

declare -A file_of=() # path in the image -> path here
declare -A packages=()

# dpkg knows a file by the path that its package has it under, /lib or /usr/lib.
package_of() {
	local path other
	path=$(realpath -s "$1")
	for other in "$path" "${path#/usr}" "/usr$path" "$(realpath "$path")"; do
		if dpkg-query -S "$other" 2>/dev/null; then
			return 0
		fi
	done | head -n 1 | cut -d: -f1 | grep . || {
		echo "rootfs: no package has $1" >&2
		return 1
	}
}

# file, mode: to the same place in the image. Links to folders (/lib) are Debian's.
add_file() {
	local from=$1 to
	to=$(realpath "$(dirname "$from")")/$(basename "$from")
	install -D -m "$2" "$from" "$ROOT$to"
	file_of[$to]=$from
}

add_programs() {
	local name program id
	for name in "${PROGRAMS[@]}"; do
		program=/usr/sbin/heliograph-$name
		install -D -m 755 "$BUILD/heliograph-$name" "$ROOT$program"
		id=$(readelf -n "$ROOT$program" | sed -n 's/^ *Build ID: //p')
		[[ $id =~ ^[0-9a-f]{40}$ ]] || {
			echo "rootfs: $program has no build id" >&2
			return 1
		}
		mkdir -p "$DEBUG/.build-id/${id:0:2}"
		objcopy --only-keep-debug "$ROOT$program" "$DEBUG/.build-id/${id:0:2}/${id:2}.debug"
		strip --strip-unneeded "$ROOT$program"
	done
}

# ldd prints the whole closure, the loader with it.
add_libraries() {
	local library
	while read -r library; do
		add_file "$library" 755
		packages[$(package_of "$library")]=1
	done < <(ldd "${PROGRAMS[@]/#/$ROOT/usr/sbin/heliograph-}" | grep -o '/[^ ]*' | grep -v ':$' | sort -u)
	for link in lib lib64; do
		[[ ! -L /$link ]] || ln -s "$(readlink /$link)" "$ROOT/$link"
	done
}

add_settings() {
	add_file $AUTHORITIES 644
	add_file $OPENSSL_CONF 644
	packages[ca-certificates]=1
	packages[openssl]=1
	# Where OpenSSL looks when nobody tells it another place.
	mkdir -p "$ROOT/usr/lib/ssl"
	ln -s $AUTHORITIES "$ROOT/usr/lib/ssl/cert.pem"
	ln -s $OPENSSL_CONF "$ROOT/usr/lib/ssl/openssl.cnf"
	echo "heliograph:x:$USER_ID:$USER_ID:Heliograph:/:/nonexistent" >"$ROOT/etc/passwd"
	echo "heliograph:x:$USER_ID:" >"$ROOT/etc/group"
	echo 'hosts: files dns' >"$ROOT/etc/nsswitch.conf"
	# For configurations, and for hubs that somebody builds an image of upon this one.
	mkdir -p "$ROOT/etc/heliograph" "$ROOT/usr/lib/heliograph/hubs" "$ROOT/run"
}

# Packages whose code the linker took into a program: archives and start files.
add_linked() {
	local file
	while read -r file; do
		packages[$(package_of "$file")]=1
	done < <(grep -oE '^\(?/[^ ()]+\.(a|o)' "$LINK_LOG" | tr -d '(' | grep -v "^$PWD/" | sort -u)
}

add_licences() {
	local package
	install -D -m 644 LICENSE "$DOC/heliograph/LICENSE"
	for package in "${!packages[@]}"; do
		install -D -m 644 "/usr/share/doc/$package/copyright" "$DOC/$package/copyright"
	done
}

sha256() {
	sha256sum "$1" | cut -d' ' -f1
}

# A package's name with its architecture is what tells two of them apart for dpkg.
component_package() {
	local name=$1 version arch source source_version
	# shellcheck disable=SC2016 # dpkg's own ${}
	IFS='|' read -r version arch source source_version < <(dpkg-query -W \
		-f '${Version}|${Architecture}|${source:Package}|${source:Version}\n' "$name")
	cat <<-EOF
		{
			"type": "library", "bom-ref": "pkg:$name", "name": "$name", "version": "$version",
			"supplier": { "name": "Debian" },
			"purl": "pkg:deb/debian/${name//+/%2B}@${version//[+]/%2B}?arch=$arch&distro=debian-12",
			"properties": [
				{ "name": "debian:source", "value": "$source" },
				{ "name": "debian:source-version", "value": "$source_version" }
			]
		}
	EOF
}

component_file() {
	cat <<-EOF
		{
			"type": "file", "bom-ref": "file:$1", "name": "$1",
			"hashes": [ { "alg": "SHA-256", "content": "$(sha256 "$ROOT$1")" } ]
		}
	EOF
}

# Lines of `dependencies`: the package of each file.
dependency() {
	printf '{ "ref": "%s", "dependsOn": [%s] }' "$1" "$2"
}

join() {
	local first=1 part
	while IFS= read -r -d '' part; do
		((first)) || printf ',\n'
		first=0
		printf '%s' "$part"
	done
}

sbom() {
	local version names=() files=() name
	version=$(cat VERSION)
	mapfile -t names < <(printf '%s\n' "${!packages[@]}" | LC_ALL=C sort)
	mapfile -t files < <(cd "$ROOT" && find . -type f | cut -c2- | LC_ALL=C sort)
	cat <<-EOF
		{
		"bomFormat": "CycloneDX",
		"specVersion": "1.5",
		"version": 1,
		"metadata": {
			"component": {
				"type": "container", "bom-ref": "heliograph", "name": "heliograph", "version": "$version",
				"licenses": [ { "license": { "id": "Apache-2.0" } } ]
			}
		},
		"components": [
	EOF
	{
		for name in "${names[@]}"; do
			printf '%s\0' "$(component_package "$name")"
		done
		for name in "${files[@]}"; do
			printf '%s\0' "$(component_file "$name")"
		done
	} | join
	printf '\n],\n"dependencies": [\n'
	{
		printf '%s\0' "$(dependency heliograph "$(printf '"pkg:%s"\0' "${names[@]}" | join)")"
		for name in "${!file_of[@]}"; do
			[[ $name != "$AUTHORITIES" ]] || continue # which is made of files of its package
			printf '%s\0' "$(dependency "file:$name" "\"pkg:$(package_of "${file_of[$name]}")\"")"
		done | LC_ALL=C sort -z
	} | join
	printf '\n]\n}\n'
}

add_programs
add_libraries
add_settings
add_linked
add_licences
sbom=$(sbom) # which does not list itself
printf '%s\n' "$sbom" >"$DOC/heliograph/sbom.cdx.json"
