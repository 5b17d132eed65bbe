/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growable run of bytes. Capacity doubles, so appending costs amortised one copy; the
 * memory is given back only by buf_fini.
 */
#include "proto/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proto/base/mem.h"

#define BUF_CAP_MIN 64u

void buf_init(struct buf *buf)
{
	*buf = BUF_INIT;
}

void buf_fini(struct buf *buf)
{
	mem_free(buf->ptr);
	*buf = BUF_INIT;
}

char *buf_reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : BUF_CAP_MIN;

	assert(buf->len <= buf->cap);
	assert(more <= SIZE_MAX / 4);
	assert(buf->len <= SIZE_MAX / 4);
	while (cap - buf->len < more)
		cap *= 2;
	if (cap != buf->cap) {
		buf->ptr = mem_realloc(buf->ptr, cap);
		buf->cap = cap;
	}
	return buf->ptr + buf->len;
}

void buf_append(struct buf *buf, const void *ptr, size_t len)
{
	if (!len)
		return;
	memcpy(buf_reserve(buf, len), ptr, len);
	buf->len += len;
}

void buf_append_slice(struct buf *buf, struct slice s)
{
	buf_append(buf, s.ptr, s.len);
}

void buf_append_str(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_byte(struct buf *buf, char byte)
{
	*buf_reserve(buf, 1) = byte;
	buf->len++;
}

void buf_append_int64(struct buf *buf, int64_t value)
{
	char digits[20]; /* "-9223372036854775808" */
	size_t at = sizeof(digits);
	/* Unsigned negation is defined for INT64_MIN too. */
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--at] = '-';
	buf_append(buf, digits + at, sizeof(digits) - at);
}

void buf_appendf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(n >= 0);
	char *to = buf_reserve(buf, (size_t)n + 1);

	va_start(args, fmt);
	n = vsnprintf(to, (size_t)n + 1, fmt, args);
	va_end(args);
	assert(n >= 0);
	buf->len += (size_t)n;
	assert(buf->len < buf->cap);
}

void buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (!len)
		return;
	buf->len -= len;
	memmove(buf->ptr, buf->ptr + len, buf->len);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}
