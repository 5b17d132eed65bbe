/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubgen/emit.h"

/* What would end the comment gets a space. */
static void append_line(struct buf *out, struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.ptr[i] == '/' && i > 0 && line.ptr[i - 1] == '*')
			buf_append_byte(out, ' ');
		if (line.ptr[i] == '*' && i > 0 && line.ptr[i - 1] == '/')
			buf_append_byte(out, ' ');
		buf_append_byte(out, line.ptr[i]);
	}
}

void emit_comment(struct buf *out, const struct model_comment *comment,
		  const char *opening, const char *indent)
{
	if (comment->n == 1) {
		buf_appendf(out, "%s%s ", indent, opening);
		append_line(out, comment->lines[0]);
		buf_append_str(out, " */\n");
		return;
	}
	if (comment->n == 0)
		return;
	buf_appendf(out, "%s%s\n", indent, opening);
	for (size_t i = 0; i < comment->n; i++) {
		buf_appendf(out, "%s *%s", indent, comment->lines[i].len > 0 ? " " : "");
		append_line(out, comment->lines[i]);
		buf_append_byte(out, '\n');
	}
	buf_appendf(out, "%s */\n", indent);
}
