#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The documentation against the source:  tests/lint/docs.sh [root]
#
# - `path/file.c: function` in docs, and `file: function` in docs/TOUR.md, is a function that
#   this file defines; in capitals, a macro. The path may be shortened to its end, ".c" may be
#   left out in the tour.
# - A file that docs/TOUR.md names alone, `path/file.h` or `file.c`, exists. What is in build/
#   is made, and need not be there.
# - Every relative link in a Markdown file leads to a file.
# - Every event id that the source logs is in a first column of docs/OPERATING.md, under a
#   heading with the word "log" in it, and every id there is logged. Ids are what LOGGERS are
#   given. One that warns says what to do.
# shellcheck disable=SC2016 # backticks here are Markdown's
set -euo pipefail
cd "${1:-.}"

CODE=()
for folder in proto gateway router presence; do
	[[ ! -d $folder ]] || CODE+=("$folder")
done
failed=0

# Who is given ids of events, "noun.fact", in any argument. A helper that passes an id on to
# log_warn() is to be named here.
LOGGERS='log_(debug|info|warn|error|write|audit)|stream_fail'

breach() {
	echo "$1"
	failed=1
}

# Prints "line<TAB>text" of every `code span` that matches an ERE.
code_spans() {
	local file=$1 pattern=$2
	grep -noE "\`$pattern\`" "$file" | sed -E 's/^([0-9]+):`(.*)`$/\1\t\2/' || true
}

markdown() {
	find . \( -name node_modules -o -name .git -o -path ./build -o -name vendor \) -prune -o \
		-name '*.md' -print | LC_ALL=C sort
}

# The sources whose path ends in $1, which may lack its suffix.
sources_named() {
	local name=$1
	[[ $name == *.[ch] ]] || name+=.c
	((${#CODE[@]})) || return 0
	find "${CODE[@]}" -path "*/$name" -o -path "$name"
}

# Does file $2 define function $1? Its head starts in the first column and ends in a brace.
defines_function() {
	awk -v name="$1" '
		/^[A-Za-z_]/ { head = "" ; in_head = 1 }
		in_head { head = head " " $0 }
		in_head && /;[ \t]*$/ { in_head = 0 }
		/^[{]/ || /[{][ \t]*$/ {
			if (in_head && head ~ ("[ *]" name "[(]")) { found = 1; exit }
			in_head = 0
		}
		END { exit !found }' "$2"
}

# Does file $2 define $1, a function, or in capitals a macro?
defines() {
	if [[ $1 =~ ^[A-Z] ]]; then
		grep -qE "^#[ \t]*define[ \t]+$1\>" "$2"
	else
		defines_function "$1" "$2"
	fi
}

check_functions() {
	local doc=$1 pattern=$2 line span file function candidates found
	while IFS=$'\t' read -r line span; do
		file=${span%%: *}
		function=${span##*: }
		function=${function%()}
		found=0
		mapfile -t candidates < <(sources_named "$file")
		if ((${#candidates[@]} == 0)); then
			breach "$doc:$line: \`$span\`: no such source file"
			continue
		fi
		for file in "${candidates[@]}"; do
			defines "$function" "$file" && found=1
		done
		((found)) || breach "$doc:$line: \`$span\`: ${candidates[*]} does not define $function"
	done < <(code_spans "$doc" "$pattern")
}

# Files named without a function: from the root, or by the end of a source's path.
check_files() {
	local doc=$1 line span
	while IFS=$'\t' read -r line span; do
		[[ $span == build/* || -e $span || -n $(sources_named "$span") ]] ||
			breach "$doc:$line: \`$span\`: no such file"
	done < <(code_spans "$doc" '[a-z0-9_./-]+\.(c|h|js|md|proto|sh|txt)')
}

check_links() {
	local doc=$1 line target path
	while IFS=: read -r line target; do
		target=${target#*](}
		target=${target%%)*}
		target=${target%% *}
		path=${target%%#*}
		case $target in
		'' | '#'* | *://* | mailto:*) continue ;;
		/*) breach "$doc:$line: ($target): write links relative to the file" ;;
		*) [[ -e $(dirname "$doc")/$path ]] || breach "$doc:$line: ($target) leads nowhere" ;;
		esac
	done < <(awk '/^ *```/ { fenced = !fenced } { print fenced ? "" : $0 }' "$doc" |
		sed 's/`[^`]*`//g' | grep -noE '\]\([^)]*\)' || true)
}

# All sources in one line.
flat_code() {
	((${#CODE[@]})) || return 0
	find "${CODE[@]}" -name '*.c' -exec cat {} + | tr '\n\t' '  '
}

# A first text given to a logger of log.h is an id whatever it looks like; of other loggers'
# arguments, those that look like one.
logged_ids() {
	{
		flat_code | grep -oE '\<log_(debug|info|warn|error|write)\( *(LOG_[A-Z]+, *)?"[^"]*"' |
			grep -oE '"[^"]*"'
		flat_code | grep -oE "\\<($LOGGERS)\\([^;{}]*" |
			grep -oE '"[a-z0-9_]+\.[a-z0-9_]+"'
	} | tr -d '"' | LC_ALL=C sort -u || true
}

documented_ids() {
	[[ -e docs/OPERATING.md ]] || return 0
	awk '/^#/ { is_log = tolower($0) ~ /(^|[^a-z])logs?([^a-z]|$)/ }
		is_log && /^\| *`[a-z0-9_]+\.[a-z0-9_]+`/ {
			sub(/^\| *`/, ""); sub(/`.*/, ""); print
		}' docs/OPERATING.md | LC_ALL=C sort -u
}

# Whoever is warned is told what to do: lines of the table whose last column is empty.
idle_ids() {
	[[ -e docs/OPERATING.md ]] || return 0
	awk -F' [|]' '/^#/ { is_log = tolower($0) ~ /(^|[^a-z])logs?([^a-z]|$)/ }
		is_log && /^\| *`[a-z0-9_]+\.[a-z0-9_.]+`/ && $2 ~ /warn|error/ && $(NF - 1) ~ /^ *$/ {
			sub(/^\| *`/, ""); sub(/`.*/, ""); print
		}' docs/OPERATING.md
}

check_events() {
	local id
	while read -r id; do
		breach "docs/OPERATING.md: event \`$id\` is logged but not listed"
	done < <(LC_ALL=C comm -23 <(logged_ids) <(documented_ids))
	while read -r id; do
		breach "docs/OPERATING.md: event \`$id\` is listed but never logged"
	done < <(LC_ALL=C comm -13 <(logged_ids) <(documented_ids))
	while read -r id; do
		breach "docs/OPERATING.md: event \`$id\` warns and does not say what to do"
	done < <(idle_ids)
}

while read -r doc; do
	check_links "$doc"
	if [[ $doc == ./docs/TOUR.md ]]; then
		check_functions "$doc" '[a-z0-9_./-]+: [A-Za-z_][A-Za-z0-9_]*(\(\))?'
		check_files "$doc"
	else
		check_functions "$doc" '[a-z0-9_./-]+\.[ch]: [A-Za-z_][A-Za-z0-9_]*(\(\))?'
	fi
done < <(markdown)
check_events
exit $failed
