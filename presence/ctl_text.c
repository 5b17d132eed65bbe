/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Widths are those of the large blocks of Unicode, not of its whole table: a rare
 * character that is taken for narrow leaves a line one column too long.
 */
#include "presence/ctl_text.h"

#include <assert.h>

#include "proto/base/text.h"

struct range {
	uint32_t first;
	uint32_t last;
};

/* Controls, what is invisible, what turns the direction, line ends, tags. */
static const struct range hidden[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

/* Written over the character before. */
static const struct range combining[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },	{ 0x591, 0x5bd },   { 0x610, 0x61a },
	{ 0x64b, 0x65f },   { 0xe31, 0xe31 },	{ 0xe34, 0xe3a },   { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

#define IS_IN(ranges, point) is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), point)

static bool is_in(const struct range *ranges, size_t n, uint32_t point)
{
	for (size_t i = 0; i < n; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

/* The character at the front, and its bytes; 0 bytes: that byte is no UTF-8. */
static size_t next_point(struct slice text, uint32_t *point)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *at = (const unsigned char *)text.ptr;
	size_t len = 1;

	assert(text.len > 0);
	if (at[0] >= 0x80)
		len = text_utf8_len(text.ptr, text.ptr + text.len);
	*point = at[0];
	if (len == 0)
		return 0;
	*point &= first_bits[len];
	for (size_t i = 1; i < len; i++)
		*point = *point << 6 | (at[i] & 0x3f);
	return len;
}

/* ---- escaping */

void ctl_text_escape(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		uint32_t point;
		const size_t len = next_point(text, &point);

		if (len == 0 || (len == 1 && IS_IN(hidden, point)))
			buf_appendf(out, "\\x%02x", (unsigned)point);
		else if (IS_IN(hidden, point))
			buf_appendf(out, "\\u{%x}", (unsigned)point);
		else if (point == '\\')
			buf_append_str(out, "\\\\");
		else
			buf_append(out, text.ptr, len);
		text = slice_from(text, len > 0 ? len : 1);
	}
}

bool ctl_text_is_plain(struct slice text)
{
	while (text.len > 0) {
		uint32_t point;
		const size_t len = next_point(text, &point);

		if (len == 0 || point == '\\' || IS_IN(hidden, point))
			return false;
		text = slice_from(text, len);
	}
	return true;
}

static void append_json_escape(struct buf *out, uint32_t point)
{
	if (point < 0x10000) {
		buf_appendf(out, "\\u%04x", (unsigned)point);
		return;
	}
	point -= 0x10000;
	buf_appendf(out, "\\u%04x\\u%04x", 0xd800u | (unsigned)(point >> 10),
		    0xdc00u | (unsigned)(point & 0x3ff));
}

void ctl_text_escape_json(struct buf *out, struct slice json)
{
	while (json.len > 0) {
		uint32_t point;
		const size_t len = next_point(json, &point);

		/* What is not UTF-8 is no JSON either, and nothing is lost with it. */
		if (len == 0)
			append_json_escape(out, 0xfffd);
		else if (point != '\n' && point != '\t' && IS_IN(hidden, point))
			append_json_escape(out, point);
		else
			buf_append(out, json.ptr, len);
		json = slice_from(json, len > 0 ? len : 1);
	}
}

/* ---- widths */

static size_t point_width(uint32_t point)
{
	if (point < 0x300)
		return 1;
	if (IS_IN(combining, point))
		return 0;
	return IS_IN(wide, point) ? 2 : 1;
}

struct slice ctl_text_cut(struct slice text, size_t width)
{
	size_t used = 0;
	size_t taken = 0;

	while (used < text.len) {
		uint32_t point;
		const size_t len = next_point(slice_from(text, used), &point);
		const size_t columns = point_width(point);

		if (taken + columns > width)
			break;
		taken += columns;
		used += len > 0 ? len : 1;
	}
	return slice_make(text.ptr, used);
}

size_t ctl_text_width(struct slice text)
{
	size_t width = 0;

	while (text.len > 0) {
		uint32_t point;
		const size_t len = next_point(text, &point);

		width += point_width(point);
		text = slice_from(text, len > 0 ? len : 1);
	}
	return width;
}
