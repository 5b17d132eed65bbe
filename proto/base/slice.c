/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing, cutting and reading borrowed bytes. Pure; nothing here allocates or reads
 * past a slice's length, and a NULL pointer with length 0 is an ordinary empty slice.
 */
#include "proto/base/slice.h"

#include <assert.h>

static char slice_fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool slice_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool slice_equal(struct slice a, struct slice b)
{
	/* memcmp of a NULL pointer is undefined even for no bytes. */
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (slice_fold(a.ptr[i]) != slice_fold(b.ptr[i]))
			return false;
	}
	return true;
}

int slice_compare(struct slice a, struct slice b)
{
	const size_t len = a.len < b.len ? a.len : b.len;
	const int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_equal(slice_make(s.ptr, prefix.len), prefix);
}

ptrdiff_t slice_find(struct slice s, char byte)
{
	const char *at = s.len ? memchr(s.ptr, byte, s.len) : NULL;

	return at ? at - s.ptr : -1;
}

struct slice slice_from(struct slice s, size_t from)
{
	if (from > s.len)
		from = s.len;
	/* NULL + 0 is undefined, so nothing is added when nothing is cut. */
	return from ? slice_make(s.ptr + from, s.len - from) : s;
}

struct slice slice_trim(struct slice s)
{
	while (s.len && slice_is_blank(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len && slice_is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_cut(struct slice *rest, char byte)
{
	struct slice whole = *rest;
	ptrdiff_t at = slice_find(whole, byte);

	if (at < 0) {
		*rest = SLICE_NONE;
		return whole;
	}
	assert((size_t)at < whole.len);
	*rest = slice_from(whole, (size_t)at + 1);
	return slice_make(whole.ptr, (size_t)at);
}

enum err slice_to_int64(struct slice s, int64_t *value)
{
	bool is_negative = s.len && s.ptr[0] == '-';
	uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t sum = 0;
	bool is_over = false;

	assert(value);
	if (is_negative)
		s = slice_from(s, 1);
	if (!s.len)
		return ERR_MALFORMED;
	/* All bytes are looked at before size is: a long word is malformed, not too
	 * large. */
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return ERR_MALFORMED;
		uint64_t digit = (uint64_t)(s.ptr[i] - '0');

		is_over = is_over || sum > (limit - digit) / 10;
		sum = is_over ? 0 : sum * 10 + digit;
	}
	if (is_over)
		return ERR_LIMIT;
	/* -(sum - 1) - 1 reaches INT64_MIN without passing a value int64_t cannot hold.
	 */
	*value = is_negative && sum ? -(int64_t)(sum - 1) - 1 : (int64_t)sum;
	return OK;
}

struct slice slice_decimal(char text[SLICE_DECIMAL_BYTES], uint64_t value)
{
	size_t at = SLICE_DECIMAL_BYTES;

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return slice_make(text + at, SLICE_DECIMAL_BYTES - at);
}
