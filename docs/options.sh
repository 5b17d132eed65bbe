#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints the option tables of docs/OPERATING.md from what the programs say themselves:
#
#	docs/options.sh [build/release]           all three tables
#	docs/options.sh --write [build/release]   puts them into docs/OPERATING.md
#
# "reload" marks what SIGHUP changes. A table stands between two marker comments.
set -euo pipefail
cd "$(dirname "$0")/.."

DOC=docs/OPERATING.md
is_write=0
if [[ ${1:-} == --write ]]; then
	is_write=1
	shift
fi
BUILD=${1:-build/release}

# One table of a --print-conf: a comment that tells, one with the type, and the line itself.
table() {
	echo '| option | default | values | |'
	echo '| --- | --- | --- | --- |'
	"$BUILD/heliograph-$1" --print-conf | awk '
		/^# / { help = type; type = substr($0, 3); next }
		/^[a-z_]+ = ?/ {
			name = $1
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
	for program in gateway router presence; do
		echo "heliograph-$program"
		table "$program"
	done
	exit
fi
OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
while IFS= read -r line; do
	case $line in
	'<!-- options '*' -->')
		program=${line#<!-- options }
		program=${program% -->}
		printf '%s\n' "$line" && table "$program"
		while IFS= read -r line && [[ $line != '<!-- end -->' ]]; do :; done
		;;
	esac
	printf '%s\n' "$line"
done <"$DOC" >"$OUT"
cat "$OUT" >"$DOC"
