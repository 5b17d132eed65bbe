/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubs/ot.h"

#include <assert.h>

#include "proto/base/text.h"

#define HIGH_FIRST 0xd800u
#define LOW_FIRST 0xdc00u
#define LOW_LAST 0xdfffu
#define PAIRS_FIRST 0x10000u

/* ---- UTF-8 and UTF-16 */

/* The length of the character at `at`; 0: not UTF-8. */
static size_t char_len(const char *at, const char *end)
{
	return (unsigned char)*at < 0x80 ? 1 : text_utf8_len(at, end);
}

enum err ot_measure(struct slice utf8, size_t *units, size_t *pairs)
{
	const char *at = utf8.ptr;
	const char *end = utf8.len > 0 ? utf8.ptr + utf8.len : at; /* may be NULL */
	size_t len;

	*units = 0;
	*pairs = 0;
	while (at < end) {
		len = char_len(at, end);
		if (len == 0)
			return ERR_MALFORMED;
		*units += len == 4 ? 2 : 1;
		*pairs += len == 4;
		at += len;
	}
	return OK;
}

/* Of a sequence that was checked. */
static uint32_t read_char(const char *at, size_t len)
{
	const unsigned char *s = (const unsigned char *)at;

	switch (len) {
	case 1:
		return s[0];
	case 2:
		return (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	case 3:
		return (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	default:
		return (s[0] & 0x07u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 |
		       (s[3] & 0x3fu);
	}
}

/* Of text that was measured. */
static void write_units(uint16_t *out, struct slice utf8)
{
	const char *at = utf8.ptr;
	const char *end = utf8.len > 0 ? utf8.ptr + utf8.len : at;

	while (at < end) {
		const size_t len = char_len(at, end);
		uint32_t c;

		assert(len > 0);
		c = read_char(at, len);
		if (c >= PAIRS_FIRST) {
			*out++ = (uint16_t)(HIGH_FIRST + ((c - PAIRS_FIRST) >> 10));
			*out++ = (uint16_t)(LOW_FIRST + ((c - PAIRS_FIRST) & 0x3ffu));
		} else {
			*out++ = (uint16_t)c;
		}
		at += len;
	}
}

static bool is_low(uint16_t unit)
{
	return unit >= LOW_FIRST && unit <= LOW_LAST;
}

/* What begins with a byte of 0xf0 and more is two units of 0xd800 and more, which come
 * before those of 0xe000 and more, which begin with 0xee and 0xef. */
static int utf16_rank(char c)
{
	const int byte = (unsigned char)c;

	if (byte < 0xee)
		return byte;
	return byte < 0xf0 ? byte + 0x10 : byte - 2;
}

int ot_compare_users(struct slice a, struct slice b)
{
	const size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		if (a.ptr[i] != b.ptr[i])
			return utf16_rank(a.ptr[i]) - utf16_rank(b.ptr[i]);
	}
	return (a.len > b.len) - (a.len < b.len);
}

/* ---- operations */

struct ot_op ot_insert(struct slice user, uint32_t position, struct slice content,
		       uint32_t length)
{
	assert(position <= OT_UNITS_MAX && length > 0 && length <= OT_UNITS_MAX);
	return (struct ot_op){
		.type = OT_INSERT,
		.user = user,
		.content = content,
		.position = position,
		.length = length,
	};
}

struct ot_op ot_delete(struct slice user, uint32_t start, uint32_t length)
{
	struct ot_op op = { .type = OT_RETAIN, .user = user };

	assert(start <= OT_UNITS_MAX && length <= OT_UNITS_MAX);
	if (length > 0) {
		op.type = OT_DELETE;
		op.ranges[0] = (struct ot_range){ start, length };
		op.ranges_n = 1;
	}
	return op;
}

static uint32_t range_end(const struct ot_range *range)
{
	return range->start + range->length;
}

/* How much of what stands before `position` is deleted. */
static uint32_t deleted_before(const struct ot_op *deletion, uint32_t position)
{
	uint32_t n = 0;

	for (size_t i = 0; i < deletion->ranges_n; i++) {
		const struct ot_range *range = &deletion->ranges[i];

		if (range->start >= position)
			break;
		n += range_end(range) < position ? range->length
						 : position - range->start;
	}
	return n;
}

/* One more range behind the others, or more of the last one. */
static enum err add_range(struct ot_op *deletion, uint32_t start, uint32_t end)
{
	const uint32_t n = deletion->ranges_n;

	assert(start <= end);
	if (start == end)
		return OK;
	if (n > 0 && range_end(&deletion->ranges[n - 1]) == start) {
		deletion->ranges[n - 1].length += end - start;
		return OK;
	}
	if (n == OT_RANGES_MAX)
		return ERR_LIMIT;
	deletion->ranges[n] = (struct ot_range){ start, end - start };
	deletion->ranges_n++;
	return OK;
}

/* The range, as part of `out`, behind an insertion. */
static enum err add_around(struct ot_op *out, const struct ot_range *range,
			   const struct ot_op *insertion)
{
	const uint32_t at = insertion->position;
	const uint32_t grown = insertion->length;
	const uint32_t end = range_end(range);
	enum err rc;

	if (at <= range->start)
		return add_range(out, range->start + grown, end + grown);
	if (at >= end)
		return add_range(out, range->start, end);
	rc = add_range(out, range->start, at);
	return rc == OK ? add_range(out, at + grown, end + grown) : rc;
}

static enum err transform_deletion(struct ot_op *op, const struct ot_op *against)
{
	struct ot_op out = { .type = OT_DELETE, .user = op->user };
	enum err rc = OK;

	for (size_t i = 0; i < op->ranges_n && rc == OK; i++) {
		const struct ot_range *range = &op->ranges[i];
		const uint32_t end = range_end(range);

		if (against->type == OT_INSERT)
			rc = add_around(&out, range, against);
		else
			rc = add_range(&out,
				       range->start -
					       deleted_before(against, range->start),
				       end - deleted_before(against, end));
	}
	if (rc != OK)
		return rc;
	if (out.ranges_n == 0)
		out.type = OT_RETAIN;
	*op = out;
	return OK;
}

static void transform_insertion(struct ot_op *op, const struct ot_op *against,
				bool is_later)
{
	int order;

	if (against->type == OT_DELETE) {
		op->position -= deleted_before(against, op->position);
		return;
	}
	order = ot_compare_users(op->user, against->user);
	if (order == 0)
		order = is_later ? 1 : -1;
	if (against->position < op->position ||
	    (against->position == op->position && order > 0))
		op->position += against->length;
}

enum err ot_transform(struct ot_op *op, const struct ot_op *against, bool is_later)
{
	if (op->type == OT_RETAIN || against->type == OT_RETAIN)
		return OK;
	if (op->type == OT_DELETE)
		return transform_deletion(op, against);
	transform_insertion(op, against, is_later);
	return OK;
}

bool ot_cut(struct ot_op *op, struct ot_op *first)
{
	const uint32_t gone = op->ranges[0].length;

	if (op->ranges_n < 2)
		return false;
	assert(op->type == OT_DELETE);
	*first = ot_delete(op->user, op->ranges[0].start, gone);
	op->ranges_n--;
	for (size_t i = 0; i < op->ranges_n; i++) {
		op->ranges[i] = op->ranges[i + 1];
		op->ranges[i].start -= gone;
	}
	return true;
}

int64_t ot_growth(const struct ot_op *op)
{
	int64_t growth = op->length;

	for (size_t i = 0; i < op->ranges_n; i++)
		growth -= op->ranges[i].length;
	return growth;
}

/* ---- texts */

enum err ot_text_append(struct ot_text *text, struct slice utf8)
{
	size_t units;
	size_t pairs;
	const enum err rc = ot_measure(utf8, &units, &pairs);

	if (rc != OK)
		return rc;
	if (units > text->room - text->n)
		return ERR_LIMIT;
	write_units(text->units + text->n, utf8);
	text->n += units;
	return OK;
}

/* Is it a place between two characters of the text? */
static enum err check_place(const struct ot_text *text, uint32_t place)
{
	if (place > text->n)
		return ERR_ARGUMENT;
	return place < text->n && is_low(text->units[place]) ? ERR_MALFORMED : OK;
}

static enum err check_ranges(const struct ot_text *text, const struct ot_op *op)
{
	enum err rc = OK;

	for (size_t i = 0; i < op->ranges_n && rc == OK; i++) {
		rc = check_place(text, op->ranges[i].start);
		if (rc == OK)
			rc = check_place(text, range_end(&op->ranges[i]));
	}
	return rc;
}

static void move(struct ot_text *text, size_t to, size_t from)
{
	memmove(text->units + to, text->units + from,
		(text->n - from) * sizeof(*text->units));
}

enum err ot_text_apply(struct ot_text *text, const struct ot_op *op)
{
	enum err rc = check_ranges(text, op);

	if (rc == OK && op->type == OT_INSERT)
		rc = check_place(text, op->position);
	if (rc != OK)
		return rc;
	if (op->length > text->room - text->n)
		return ERR_LIMIT;
	for (size_t i = op->ranges_n; i-- > 0;) {
		move(text, op->ranges[i].start, range_end(&op->ranges[i]));
		text->n -= op->ranges[i].length;
	}
	if (op->type == OT_INSERT) {
		move(text, op->position + op->length, op->position);
		write_units(text->units + op->position, op->content);
		text->n += op->length;
	}
	return OK;
}

bool ot_text_has_pairs(const struct ot_text *text)
{
	for (size_t i = 0; i < text->n; i++) {
		if (is_low(text->units[i]))
			return true;
	}
	return false;
}

size_t ot_text_bytes_max(const struct ot_text *text)
{
	return text->n * 3; /* two units of a character are four bytes */
}

static size_t write_char(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < PAIRS_FIRST) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

size_t ot_text_write(const struct ot_text *text, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++) {
		uint32_t c = text->units[i];

		if (i + 1 < text->n && is_low(text->units[i + 1])) {
			c = PAIRS_FIRST + ((c - HIGH_FIRST) << 10) +
			    (text->units[i + 1] - LOW_FIRST);
			i++;
		}
		n += write_char(out + n, c);
	}
	return n;
}
