# SPDX-License-Identifier: Apache-2.0
#
# Comments of C whose lines were wrapped by hand, or by a tool that did not know better:
#
#	awk -f comments.awk file...
#
# - A line of a comment that has its lines to itself begins with " * ", aligned.
# - What goes on from an item of a list ("- ...") is indented as its text.
function column(text,   i, n) {
	n = 0
	for (i = 1; i <= length(text); i++)
		n = substr(text, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
	return n
}

function complain(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why
	failed = 1
}

function look(text, lead) {
	if (text !~ /^\*($|[ \t\/])/)
		complain("a line of a comment does not begin with \" * \"")
	else if (column(lead) != at + 1)
		complain("a line of a comment is not aligned")
	else if (is_item && text ~ /^\* [^ \t-]/)
		complain("a line of an item is not indented")
	if (text ~ /^\* - /)
		is_item = 1
	else if (text ~ /^\*$/)
		is_item = 0
}

FNR == 1 { is_comment = is_item = 0 }

is_comment {
	match($0, /^[ \t]*/)
	look(substr($0, RLENGTH + 1), substr($0, 1, RLENGTH))
	if (index($0, "*/") > 0)
		is_comment = is_item = 0
	next
}

/^[ \t]*\/\*/ && !/\*\// {
	is_comment = 1
	match($0, /^[ \t]*/)
	at = column(substr($0, 1, RLENGTH))
}

END { exit failed }
