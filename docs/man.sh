#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints a manual page with its tables filled in:  docs/man.sh docs/man/PAGE [build/release]
#
# Pages are mdoc(7). What a program or a header says of itself stands in them as one comment:
#
#	.\" options PROGRAM          its options, from --print-conf
#	.\" options PROGRAM SCOPE    ... those of each named thing: "hub"
#	.\" flags PROGRAM            what --help lists before the options
#	.\" output PROGRAM WORD...   what it prints, as it is
#	.\" headers FILE             a header and those of its folder that it includes: their
#	                             comments as text, their declarations as code
#	.\" version                  of all this
set -euo pipefail

PAGE=$1
BUILD=${2:-build/release}

# What the rest of these scripts share: text that is no macro and has no escapes.
ESCAPE='function text(line) {
	gsub(/\\/, "\\e", line)
	sub(/^[.'"'"']/, "\\\\\\&&", line)
	return line
}
# Lines of at most 80 bytes; sentences, and functions, begin one, as mdoc wants them.
function prose(line, words, n, i, name, out, len) {
	n = split(line, words, / +/)
	for (i = 1; i <= n; i++) {
		name = words[i]
		if (name == "")
			continue
		if (name ~ /^[a-z_]+[(][)][.,:;]?$/) {
			sub(/[(][)]/, " ", name)
			sub(/ $/, "", name)
			out = out (len ? "\n" : "") ".Fn " name "\n"
			len = 0
		} else if (len == 0 || len + length(name) > 76 || words[i - 1] ~ /[.]$/) {
			out = out (len ? "\n" : "") text(name)
			len = length(name)
		} else {
			gsub(/\\/, "\\e", name)
			out = out " " name
			len += 1 + length(name)
		}
	}
	sub(/\n$/, "", out)
	return out
}'

options() {
	echo '.Bl -tag -width Ds'
	"$BUILD/$1" --print-conf | awk -v scope="${2:-}" "$ESCAPE"'
		/^# / { help = type; type = substr($0, 3); next }
		(scope == "" && /^[a-z_]+ = ?/) ||
		(scope != "" && index($0, "#" scope ".<name>.") == 1) {
			name = $1
			sub(/^#.*>[.]/, "", name)
			value = substr($0, index($0, "=") + 1)
			gsub(/^ +| +$/, "", value)
			is_reload = sub(/; SIGHUP changes it$/, "", type)
			kind = type
			sub(/,.*/, "", kind)
			if (scope == "")
				printf ".It Fl -%s Ns = Ns Ar %s\n", name, kind
			else
				printf ".It Fl -%s Ns \\&. Ns Ar name Ns \\&. Ns Cm %s Ns = Ns Ar %s\n", \
					scope, name, kind
			print prose(help)
			print prose("Accepted: " type ".")
			if (value != "")
				printf "Default:\n.Ql %s .\n", text(value)
			if (is_reload)
				print "SIGHUP changes it."
		}'
	echo '.El'
}

# Lines "  --flag" or "  COMMAND", with six blanks before what they mean.
flags() {
	echo '.Bl -tag -width Ds'
	"$BUILD/$1" --help | awk "$ESCAPE"'
		/^Each option below/ { is_over = 1 }
		is_over { next }
		/^  -/ {
			name = substr($0, 4)
			value = ""
			if (match(name, /=/)) {
				value = substr(name, RSTART + 1)
				name = substr(name, 1, RSTART - 1)
			}
			printf ".It Fl %s%s\n", name, value == "" ? "" : " Ns = Ns Ar " value
		}
		/^      / { print prose(substr($0, 7)) }'
	echo '.El'
}

output() {
	local program=$1
	shift
	echo '.Bd -literal'
	"$BUILD/$program" "$@" | awk "$ESCAPE"'{ gsub(/\t/, "        "); print text($0) }'
	echo '.Ed'
}

# A comment that begins with dashes is a heading, others are paragraphs; the rest is C.
headers() {
	local others
	mapfile -t others < <(sed -nE 's,^#include "('"$(dirname "$1")"'/[^"]*)".*,\1,p' "$1")
	expand "$1" "${others[@]}" | awk "$ESCAPE"'
		function code_end() {
			if (in_code) print ".Ed"
			in_code = 0
		}
		function comment_end(all, title) {
			gsub(/[ \t]+/, " ", all)
			sub(/^ /, "", all)
			if (match(all, /^----+ /)) {
				title = substr(all, RLENGTH + 1)
				all = ""
				if (match(title, /[.:] /)) {
					all = substr(title, RSTART + 2)
					title = substr(title, 1, RSTART - 1)
				}
				sub(/ +$/, "", title)
				print ".Ss " text(title)
				is_begin = 1
			}
			if (all == "")
				return
			if (!is_begin)
				print ".Pp"
			is_begin = 0
			print prose(all)
		}
		FNR == 1 { is_first = 1; in_guard = 0; blanks = 0 }
		/SPDX-License/ || /^#(ifndef|endif|include)/ || /^#define [A-Z_]+_H$/ { next }
		/^[ \t]*$/ && !in_comment { blanks = 1; next }
		!in_comment && /^\/\*/ {
			code_end()
			in_comment = 1
			all = ""
			sub(/^\/\*/, "")
		}
		in_comment {
			is_end = sub(/\*\/.*$/, "")
			sub(/^[ \t]*\*( |$)/, "")
			if (/^[ \t]*$/) all = all "\n"
			else all = all " " $0
			if (!is_end) next
			in_comment = 0
			n = split(all, parts, "\n")
			for (i = 1; i <= n; i++) {
				m = split(parts[i], items, / - /)
				for (j = 1; j <= m; j++) comment_end(items[j])
			}
			blanks = 0
			next
		}
		# Of a function that is defined, what it would be declared as.
		/^static inline / {
			sub(/^static inline /, "")
			is_head = 1
		}
		is_head && /^\{/ { is_head = 0; is_body = 1; next }
		is_body { if (/^\}/) is_body = 0; next }
		{
			if (!in_code) print ".Bd -literal -offset Ds"
			else if (blanks) print ""
			blanks = is_begin = 0
			in_code = 1
			print text($0) (is_head && /[)]$/ ? ";" : "")
		}
		END { code_end() }'
}

while IFS= read -r line; do
	read -r -a words <<<"${line#'.\"'}"
	case $line in
	'.\" options '* | '.\" flags '* | '.\" output '* | '.\" headers '*)
		"${words[@]}"
		;;
	'.\" version') echo ".Os Heliograph $(<"$(dirname "$0")/../VERSION")" ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$PAGE"
