/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of refusals. A name is compared with the known ones by Levenshtein's
 * distance, so that a slip is answered with what was meant.
 */
#include "proto/base/conf_error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/base/buf.h"

/* Longer ones are not compared. */
#define NAME_COMPARED_MAX 64

enum err conf_refuse(char error[CONF_ERROR_MAX], const struct conf_place *place,
		     const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	char message[CONF_ERROR_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args); /* a cut message is fine */
	va_end(args);
	buf_append_str(&text, place->name);
	if (place->line > 0)
		buf_appendf(&text, ":%u", place->line);
	buf_appendf(&text, ": %s", message);
	len = text.len < CONF_ERROR_MAX ? text.len : CONF_ERROR_MAX - 1;
	memcpy(error, text.ptr, len);
	error[len] = '\0';
	buf_fini(&text);
	return ERR_MALFORMED;
}

struct conf_shown conf_show(struct slice s)
{
	struct conf_shown out;
	size_t len = s.len < CONF_SHOWN_MAX ? s.len : CONF_SHOWN_MAX;

	for (size_t i = 0; i < len; i++)
		out.text[i] = s.ptr[i] < ' ' || s.ptr[i] >= 0x7f ? '?' : s.ptr[i];
	memcpy(out.text + len, s.len > len ? "..." : "", s.len > len ? 4 : 1);
	return out;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t row[NAME_COMPARED_MAX + 1];

	assert(a.len <= NAME_COMPARED_MAX);
	assert(b.len <= NAME_COMPARED_MAX);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];
			size_t differs = a.ptr[i - 1] != b.ptr[j - 1];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[b.len];
}

size_t conf_name_slip(struct slice name)
{
	return name.len / 3 + 2;
}

void conf_name_offer(struct slice name, const char *known, const char **nearest,
		     size_t *distance)
{
	size_t found;

	if (name.len > NAME_COMPARED_MAX)
		return;
	found = edit_distance(name, slice_from_str(known));
	if (found < *distance) {
		*distance = found;
		*nearest = known;
	}
}
