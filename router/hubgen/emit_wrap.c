/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubgen/emit.h"

#define COLUMNS_MAX 90
#define TAB_COLUMNS 8

/* Where to break a line that is too long, outside of texts: behind the last "," that
 * fits, or else behind a "="; 0: nowhere. */
static size_t break_of(struct slice line, size_t columns)
{
	bool is_text = false;
	size_t comma = 0;
	size_t equals = 0;

	for (size_t i = 0; i + 1 < line.len; i++) {
		columns += line.ptr[i] == '\t' ? TAB_COLUMNS : 1;
		if (columns > COLUMNS_MAX && (comma > 0 || equals > 0))
			break;
		if (line.ptr[i] == '"')
			is_text = !is_text;
		if (is_text || line.ptr[i + 1] != ' ')
			continue;
		if (line.ptr[i] == ',')
			comma = i + 1;
		else if (line.ptr[i] == '=')
			equals = i + 1;
	}
	return comma > 0 ? comma : equals;
}

static size_t columns_of(struct slice line)
{
	size_t columns = line.len;

	for (size_t i = 0; i < line.len; i++)
		columns += line.ptr[i] == '\t' ? TAB_COLUMNS - 1 : 0;
	return columns;
}

static void append_wrapped(struct buf *out, struct slice line)
{
	size_t indent = 0;
	size_t tabs = 0;

	while (tabs < line.len && line.ptr[tabs] == '\t')
		tabs++;
	while (indent + columns_of(line) > COLUMNS_MAX) {
		const size_t at = break_of(line, indent);

		if (at == 0 || at + 1 >= line.len)
			break;
		buf_append_slice(out, slice_make(line.ptr, at));
		buf_append_byte(out, '\n');
		for (size_t i = 0; i < tabs + 2; i++)
			buf_append_byte(out, '\t');
		line = slice_from(line, at + 1);
		indent = (tabs + 2) * TAB_COLUMNS;
	}
	buf_append_slice(out, line);
}

void emit_wrapped(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		const struct slice line = slice_cut(&text, '\n');

		/* Comments are as the author broke them. */
		if (slice_starts_with(line, SLICE("/*")) ||
		    slice_starts_with(line, SLICE(" *")))
			buf_append_slice(out, line);
		else
			append_wrapped(out, line);
		buf_append_byte(out, '\n');
	}
}
