/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of operations on a text, as the input spells them: what does not fit the text is
 * refused and changes nothing; of what fits, both ways round the pair lead to one text,
 * which is UTF-8, and a deletion that is cut does the same in parts.
 */
#include <string.h>

#include "router/hubs/ot.h"
#include "tests/fuzz/fuzz.h"

#define ROOM 4096
#define PAIRS_MAX 64

struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

static uint32_t take(struct reader *reader)
{
	return reader->at < reader->end ? *reader->at++ : 0;
}

static const struct slice users[] = {
	{ "a", 1 }, { "b", 1 }, { "\xee\x80\x80", 3 }, { "\xf0\x90\x80\x80", 4 }
};

/* Content is what follows in the input; false: it is no text. */
static bool take_op(struct reader *reader, struct ot_op *op)
{
	const uint32_t head = take(reader);
	const struct slice user = users[head >> 1 & 3];
	const uint32_t position = take(reader) << 8 | take(reader);
	const uint32_t length = take(reader);
	struct slice content;
	size_t units;
	size_t pairs;

	if ((head & 1) == 0) {
		*op = ot_delete(user, position, length);
		return true;
	}
	content = slice_make((const char *)reader->at,
			     length < (size_t)(reader->end - reader->at)
				     ? length
				     : (size_t)(reader->end - reader->at));
	reader->at += content.len;
	if (ot_measure(content, &units, &pairs) != OK || units == 0)
		return false;
	*op = ot_insert(user, position, content, (uint32_t)units);
	return true;
}

static void copy_text(struct ot_text *to, uint16_t *units, const struct ot_text *from)
{
	memcpy(units, from->units, from->n * sizeof(*units));
	*to = (struct ot_text){ .units = units, .n = from->n, .room = ROOM };
}

static void apply(struct ot_text *text, struct ot_op op)
{
	struct ot_op first;

	while (ot_cut(&op, &first))
		assert(ot_text_apply(text, &first) == OK);
	assert(ot_text_apply(text, &op) == OK);
}

/* Whether both fit; `text` is then as it is behind both. */
static void try_pair(struct ot_text *text, struct ot_op a, struct ot_op b)
{
	static uint16_t units[2][ROOM];
	const struct ot_op first_a = a;
	const struct ot_op first_b = b;
	struct ot_text left;
	struct ot_text right;

	copy_text(&left, units[0], text);
	copy_text(&right, units[1], text);
	if (ot_text_apply(&left, &first_a) != OK || ot_text_apply(&right, &first_b) != OK)
		return;
	if (text->n + a.length + b.length > ROOM)
		return;
	assert(ot_transform(&a, &first_b, false) == OK);
	assert(ot_transform(&b, &first_a, true) == OK);
	apply(&left, b);
	apply(&right, a);
	assert(left.n == right.n);
	assert(memcmp(left.units, right.units, left.n * sizeof(*left.units)) == 0);
	memcpy(text->units, left.units, left.n * sizeof(*left.units));
	text->n = left.n;
}

static void check_text(const struct ot_text *text)
{
	static char bytes[3 * ROOM];
	static uint16_t units[ROOM];
	struct ot_text again = { .units = units, .room = ROOM };

	assert(ot_text_bytes_max(text) <= sizeof(bytes));
	assert(ot_text_append(&again, slice_make(bytes, ot_text_write(text, bytes))) ==
	       OK);
	assert(again.n == text->n);
	assert(memcmp(units, text->units, text->n * sizeof(*units)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint16_t units[ROOM];
	struct ot_text text = { .units = units, .room = ROOM };
	struct reader reader = { data, data + size };

	for (int i = 0; i < PAIRS_MAX && reader.at < reader.end; i++) {
		struct ot_op a;
		struct ot_op b;

		if (take_op(&reader, &a) && take_op(&reader, &b))
			try_pair(&text, a, b);
	}
	check_text(&text);
	return 0;
}
