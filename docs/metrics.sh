#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints the tables of docs/METRICS.md from what the programs say themselves:
#
#	docs/metrics.sh [build/release]           the page with the tables of today
#	docs/metrics.sh --write [build/release]   puts them into docs/METRICS.md
#
# A table stands between two marker comments. What every program has, about the process and
# its build, is in the table "process" alone.
set -euo pipefail
cd "$(dirname "$0")/.."

DOC=docs/METRICS.md
is_write=0
if [[ ${1:-} == --write ]]; then
	is_write=1
	shift
fi
BUILD=${1:-build/release}

# Rows "name, type, labels, help" from an exposition; a label's values are listed.
table() {
	local program=$1 is_process=0
	if [[ $program == process ]]; then
		program=presence
		is_process=1
	fi
	echo '| metric | type | labels | |'
	echo '| --- | --- | --- | --- |'
	"$BUILD/heliograph-$program" --print-metrics | awk -v is_process="$is_process" '
		function flush(	labels, i) {
			if (name == "" || (name ~ /^(process|heliograph)_/) != is_process)
				return
			for (i = 1; i <= labels_n; i++)
				labels = labels (i > 1 ? "; " : "") "`" label[i] "`: " values[label[i]]
			if (name == "router_hub_counted_total") # there are none before a hub is
				labels = "`hub`; `name`"
			gsub(/\|/, "\\|", help)
			printf "| `%s` | %s | %s | %s |\n", name, type, labels, help
		}
		/^# HELP / {
			flush()
			name = $3
			help = $0
			sub(/^# HELP [^ ]+ /, "", help)
			labels_n = 0
			delete values
			next
		}
		/^# TYPE / { type = $4; next }
		/[{]/ {
			pairs = $0
			sub(/^[^{]*[{]/, "", pairs)
			sub(/[}][^}]*$/, "", pairs)
			n = split(pairs, pair, ",")
			for (i = 1; i <= n; i++) {
				split(pair[i], part, "=\"")
				sub(/"$/, "", part[2])
				if (part[1] == "le" || part[1] == "version")
					continue
				if (!(part[1] in values)) {
					label[++labels_n] = part[1]
					values[part[1]] = part[2]
				} else if (", " values[part[1]] "," !~ ", " part[2] ",")
					values[part[1]] = values[part[1]] ", " part[2]
			}
		}
		END { flush() }'
}

OUT=$(mktemp)
trap 'rm -f "$OUT"' EXIT
while IFS= read -r line; do
	case $line in
	'<!-- metrics '*' -->')
		program=${line#<!-- metrics }
		program=${program% -->}
		printf '%s\n' "$line" && table "$program"
		while IFS= read -r line && [[ $line != '<!-- end -->' ]]; do :; done
		;;
	esac
	printf '%s\n' "$line"
done <"$DOC" >"$OUT"
if ((is_write)); then
	cat "$OUT" >"$DOC"
else
	cat "$OUT"
fi
