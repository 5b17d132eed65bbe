/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slice is borrowed bytes: pointer and length by value. It dies when the callback that
 * was given it returns, or with the arena it points into; whoever needs it longer copies
 * it. It may hold NUL bytes and is never NUL-terminated by contract.
 */
#ifndef PROTO_BASE_SLICE_H
#define PROTO_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/base/err.h"

struct slice {
	const char *ptr;
	size_t len;
};

/* SLICE("text") is a slice of a string literal; SLICE_FMT(s) feeds "%.*s". */
#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })
#define SLICE_FMT(s) (int)(s).len, (s).ptr
#define SLICE_NONE ((struct slice){ NULL, 0 })

static inline struct slice slice_make(const char *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

/* `text` may be NULL: that is the empty slice. */
static inline struct slice slice_from_str(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

bool slice_equal(struct slice a, struct slice b);

/* Equal when ASCII letters are folded; other bytes are compared as they are. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* Bytewise order, as strcmp: < 0, 0 or > 0. */
int slice_compare(struct slice a, struct slice b);

bool slice_starts_with(struct slice s, struct slice prefix);

/* The index of the first `byte`, or -1. */
ptrdiff_t slice_find(struct slice s, char byte);

/* From `from` (clamped) to the end. */
struct slice slice_from(struct slice s, size_t from);

/* Without leading and trailing spaces and tabs. */
struct slice slice_trim(struct slice s);

/*
 * Cuts `*rest` at the first `byte`: returns what stood before it and leaves in `*rest`
 * what follows. Without the byte the whole is returned and `*rest` is empty with ptr
 * NULL.
 */
struct slice slice_cut(struct slice *rest, char byte);

#define SLICE_DECIMAL_BYTES 24

/* In decimal digits, which are in `text`. */
struct slice slice_decimal(char text[SLICE_DECIMAL_BYTES], uint64_t value);

/* The whole slice as a decimal integer, optional leading '-'. ERR_MALFORMED, ERR_LIMIT.
 */
MUST_CHECK enum err slice_to_int64(struct slice s, int64_t *value);

#endif
