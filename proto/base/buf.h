/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable run of bytes with one owner. Not for what is sent to many: that is a blob.
 */
#ifndef PROTO_BASE_BUF_H
#define PROTO_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

struct buf {
	char *ptr; /* owned */
	size_t len;
	size_t cap;
};

#define BUF_INIT ((struct buf){ NULL, 0, 0 })

void buf_init(struct buf *buf);
void buf_fini(struct buf *buf);

/* Makes room for `more` bytes after len; returns where they go. Does not change len. */
char *buf_reserve(struct buf *buf, size_t more);

void buf_append(struct buf *buf, const void *ptr, size_t len);
void buf_append_slice(struct buf *buf, struct slice s);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, char byte);
void buf_append_int64(struct buf *buf, int64_t value);
void buf_appendf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Drops the first `len` bytes (len <= buf->len) by moving the rest down. */
void buf_consume(struct buf *buf, size_t len);

/* Forgets the bytes, keeps the memory. */
void buf_clear(struct buf *buf);

/* Borrowed view of what is in it; dies with the next append. */
static inline struct slice buf_slice(const struct buf *buf)
{
	return slice_make(buf->ptr, buf->len);
}

#endif
