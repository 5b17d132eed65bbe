/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies runs of plain bytes as they are and looks at the others one by one.
 */
#include "proto/base/json_write.h"

#include "proto/base/text.h"

static void write_escape(struct buf *out, char c)
{
	static const char names[] = "btnufr"; /* for 8 to 13; 11 has no name */

	if (c == '"' || c == '\\') {
		buf_append_byte(out, '\\');
		buf_append_byte(out, c);
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		buf_append_byte(out, '\\');
		buf_append_byte(out, names[c - '\b']);
	} else {
		buf_appendf(out, "\\u%04x", (unsigned)c);
	}
}

void json_write_string(struct buf *out, struct slice text)
{
	const char *at = text.ptr;
	const char *end = text.len > 0 ? text.ptr + text.len : text.ptr;

	buf_append_byte(out, '"');
	while (at < end) {
		const char *plain = text_plain_end(at, end);
		size_t len;

		buf_append(out, at, (size_t)(plain - at));
		at = plain;
		if (at == end)
			break;
		len = text_utf8_len(at, end);
		if (len > 0) {
			buf_append(out, at, len);
			at += len;
			continue;
		}
		if ((unsigned char)*at < 0x80)
			write_escape(out, *at);
		else
			buf_append_str(out, "\xef\xbf\xbd");
		at++;
	}
	buf_append_byte(out, '"');
}
