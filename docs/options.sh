#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints the option tables of docs/OPERATING.md from what the programs say themselves:
#
#	docs/options.sh [build/release]           all tables
#	docs/options.sh --write [build/release]   puts them into docs/OPERATING.md, and ctl's help
#
# "reload" marks what SIGHUP changes. A table stands between two marker comments; those of
# the options of each hub are named "gateway hub" and "router hub", that of those that a
# built-in hub has of its own "router own".
set -euo pipefail
cd "$(dirname "$0")/.."

DOC=docs/OPERATING.md
is_write=0
if [[ ${1:-} == --write ]]; then
	is_write=1
	shift
fi
BUILD=${1:-build/release}

# One table of a --print-conf: a comment that tells, one with the type, and the line itself,
# which is a comment without a space if it is an option of each <name>, the scope $2.
table() {
	echo '| option | default | values | |'
	echo '| --- | --- | --- | --- |'
	"$BUILD/heliograph-$1" --print-conf | awk -v scope="${2:-}" '
		/^# / { help = type; type = substr($0, 3); next }
		(scope == "" && /^[a-z_]+ = ?/) ||
		(scope == "own" && /^#[a-z]+[.][a-z0-9_-]+[.][a-z_]+ = ?/) ||
		(scope != "" && index($0, "#" scope ".<name>.") == 1) {
			name = $1
			sub(/^#.*>[.]|^#hub[.]|^#/, "", name)
			value = substr($0, index($0, "=") + 1)
			gsub(/^ +| +$/, "", value)
			is_reload = sub(/; SIGHUP changes it$/, "", type)
			gsub(/\|/, "\\|", help)
			printf "| `%s` | %s | %s | %s%s |\n", name,
				value == "" ? "" : "`" value "`", type, help,
				is_reload ? " *reload*" : ""
		}'
}

if ((!is_write)); then
	for program in gateway router presence bench; do
		echo "heliograph-$program"
		table "$program"
	done
	for program in gateway router; do
		echo "heliograph-$program, of each hub"
		table "$program" hub
	done
	exit
fi
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
while IFS= read -r line; do
	case $line in
	'<!-- ctl -->')
		printf '%s\n```\n%s\n```\n' "$line" "$("$BUILD/heliograph-presence" ctl --help)"
		while IFS= read -r line && [[ $line != '<!-- end -->' ]]; do :; done
		;;
	'<!-- options '*' -->')
		program=${line#<!-- options }
		program=${program% -->}
		read -r program scope <<<"$program"
		printf '%s\n' "$line" && table "$program" "$scope"
		while IFS= read -r line && [[ $line != '<!-- end -->' ]]; do :; done
		;;
	esac
	printf '%s\n' "$line"
done <"$DOC" >"$OUT"
cat "$OUT" >"$DOC"
