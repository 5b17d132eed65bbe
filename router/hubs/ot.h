/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operational transform of plain text. Whoever writes an operation knew the text as it
 * was a few operations ago; ot_transform() says what it means behind one of those. Two
 * operations made of the same text, each transformed against the other, lead to the same
 * text from both sides:
 *
 *	text -> a -> b transformed against a
 *	text -> b -> a transformed against b
 *
 * A server that puts all operations in one order needs no more than that.
 *
 * Positions and lengths count UTF-16 code units, as the strings of JavaScript, C# and
 * Java do. Texts are arrays of those here; what comes in and goes out is UTF-8. An
 * operation that begins or ends between the two units of one character is refused, and
 * transforming makes none such: so a text is always made of whole characters.
 *
 * What one inserts into what another deletes stays. The deletion then has two ranges, one
 * on each side of it: a deletion is a list of ranges, all of the same text.
 *
 * Pure: no memory of its own, no input and no output.
 */
#ifndef ROUTER_HUBS_OT_H
#define ROUTER_HUBS_OT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

/* Of one deletion. */
#define OT_RANGES_MAX 64
/* Of a text; positions and sums of them fit 32 bits. */
#define OT_UNITS_MAX (1u << 24)

enum ot_type {
	OT_RETAIN, /* does nothing: what becomes of a deletion of what is gone */
	OT_INSERT,
	OT_DELETE,
};

struct ot_range {
	uint32_t start;
	uint32_t length; /* > 0 */
};

/* Without padding: to clear it, gcc 12 clears four bytes of the array, too
 * (-ftrivial-auto-var-init=zero, where it is a part of an initializer). */
struct ot_op {
	struct slice user;    /* borrowed; of two that insert at one place */
	struct slice content; /* OT_INSERT: borrowed */
	enum ot_type type;
	uint32_t position; /* OT_INSERT */
	uint32_t length;   /* OT_INSERT: units of content */
	uint32_t ranges_n; /* OT_DELETE */
	/* In order, with something between each two. */
	struct ot_range ranges[OT_RANGES_MAX];
};
_Static_assert(sizeof(struct ot_op) == 2 * sizeof(struct slice) + 4 * sizeof(uint32_t) +
					       OT_RANGES_MAX * sizeof(struct ot_range),
	       "struct ot_op has padding");

struct ot_text {
	uint16_t *units; /* borrowed */
	size_t n;
	size_t room;
};

/* How many units it has, and how many characters of two; ERR_MALFORMED: not UTF-8. */
MUST_CHECK enum err ot_measure(struct slice utf8, size_t *units, size_t *pairs);

struct ot_op ot_insert(struct slice user, uint32_t position, struct slice content,
		       uint32_t length);
/* With length 0 it is OT_RETAIN. */
struct ot_op ot_delete(struct slice user, uint32_t start, uint32_t length);

/* By UTF-16 code units, as .NET's ordinal comparison and JavaScript's <. */
int ot_compare_users(struct slice a, struct slice b);

/*
 * `op`, made of the same text as `against`, becomes what does the same behind it. Of two
 * insertions at one position that of the smaller user keeps it; of one user's that which
 * is not `is_later` in the order of all operations. ERR_LIMIT, and nothing has changed:
 * too many ranges.
 */
MUST_CHECK enum err ot_transform(struct ot_op *op, const struct ot_op *against,
				 bool is_later);

/* Takes the first range off a deletion that has several: `first` is to be applied before
 * what is left of `op`. False: it has one, or is no deletion. */
MUST_CHECK bool ot_cut(struct ot_op *op, struct ot_op *first);

/* How much longer a text gets. */
int64_t ot_growth(const struct ot_op *op);

/* Appends; ERR_MALFORMED: not UTF-8, ERR_LIMIT: no room. Nothing has changed then. */
MUST_CHECK enum err ot_text_append(struct ot_text *text, struct slice utf8);

/* ERR_ARGUMENT: beyond the text's end; ERR_MALFORMED: between the units of a character;
 * ERR_LIMIT: no room. Nothing has changed then. */
MUST_CHECK enum err ot_text_apply(struct ot_text *text, const struct ot_op *op);

/* Has it a character of two units? */
bool ot_text_has_pairs(const struct ot_text *text);

/* What ot_text_write() writes at most. */
size_t ot_text_bytes_max(const struct ot_text *text);
/* The text as UTF-8; how many bytes. */
size_t ot_text_write(const struct ot_text *text, char *out);

#endif
