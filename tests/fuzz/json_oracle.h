/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson as the judge of our JSON scanner.
 */
#ifndef TESTS_FUZZ_JSON_ORACLE_H
#define TESTS_FUZZ_JSON_ORACLE_H

#include <jansson.h>

#include "proto/base/slice.h"

enum json_verdict {
	JSON_GOOD,
	JSON_BAD,
	JSON_NO_VERDICT, /* it met what it cannot hold, and has seen no more of the text
			  */
};

/*
 * `*root` is the caller's, NULL unless JSON_GOOD. Numbers beyond its types and NUL in a
 * key are what jansson cannot hold; and its depth is bounded elsewhere than ours.
 */
static inline enum json_verdict json_oracle(struct slice text, json_t **root)
{
	json_error_t error;
	enum json_error_code code;

	*root = NULL;
	/* It loses some NUL bytes between tokens; nowhere is one legal. */
	if (slice_find(text, '\0') >= 0)
		return JSON_BAD;
	*root = json_loadb(text.ptr != NULL ? text.ptr : "", text.len,
			   JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (*root != NULL)
		return JSON_GOOD;
	code = json_error_code(&error);
	return code == json_error_numeric_overflow ||
			       code == json_error_null_byte_in_key ||
			       code == json_error_stack_overflow
		       ? JSON_NO_VERDICT
		       : JSON_BAD;
}

/* The text of an object's member; ptr NULL when it is absent or no string. */
static inline struct slice json_oracle_text(const json_t *root, const char *name)
{
	const json_t *member = json_object_get(root, name);

	if (!json_is_string(member))
		return SLICE_NONE;
	return slice_make(json_string_value(member), json_string_length(member));
}

#endif
