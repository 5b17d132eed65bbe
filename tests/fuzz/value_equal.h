/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the targets of values: two trees are equal when they have the same shape and their
 * leaves mean the same. A number is a number, whether it is held as an integer or not.
 */
#ifndef TESTS_FUZZ_VALUE_EQUAL_H
#define TESTS_FUZZ_VALUE_EQUAL_H

#include "proto/wire/value.h"
#include "tests/fuzz/fuzz.h"

static inline double value_equal_number(const struct value *value)
{
	return value->type == VALUE_INT ? (double)value->integer : value->real;
}

static inline bool value_equal_is_number(const struct value *value)
{
	return value->type == VALUE_INT || value->type == VALUE_DOUBLE;
}

static inline bool value_equal_one(const struct value *a, const struct value *b)
{
	if (value_equal_is_number(a) && value_equal_is_number(b) && a->type != b->type)
		return value_equal_number(a) == value_equal_number(b);
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NIL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_DOUBLE: /* a NaN is like another */
		return a->real == b->real || (a->real != a->real && b->real != b->real);
	case VALUE_STRING:
	case VALUE_BINARY:
	case VALUE_RAW:
		return slice_equal(a->bytes, b->bytes);
	case VALUE_ARRAY:
	case VALUE_MAP:
		return a->count == b->count;
	}
	return false;
}

/* Both trees in step, parents before their children. */
static inline bool value_equal(const struct value *a, const struct value *b)
{
	const struct value *parents[VALUE_DEPTH_MAX + 1][2];
	size_t depth = 0;

	for (;;) {
		if (!value_equal_one(a, b) || (depth > 0 && !slice_equal(a->key, b->key)))
			return false;
		if ((a->type == VALUE_ARRAY || a->type == VALUE_MAP) && a->count > 0) {
			assert(depth <= VALUE_DEPTH_MAX);
			parents[depth][0] = a;
			parents[depth++][1] = b;
			a = a->first;
			b = b->first;
			continue;
		}
		while (depth > 0 && a->next == NULL) {
			if (b->next != NULL)
				return false;
			depth--;
			a = parents[depth][0];
			b = parents[depth][1];
		}
		if (depth == 0)
			return true;
		a = a->next;
		b = b->next;
		if (b == NULL)
			return false;
	}
}

#endif
