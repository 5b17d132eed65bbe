/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first part of a pattern must begin the text and the last one end it; between them
 * each part is taken where it stands first, which leaves the most room for those behind
 * it. So nothing is ever tried twice.
 */
#define _GNU_SOURCE /* memmem */
#include "router/hubs/permission.h"

/* Takes `part` and what stands before it off the text. False: it is not in it. */
static bool skip_past(struct slice *text, struct slice part)
{
	const char *found;

	if (part.len == 0)
		return true;
	if (text->len < part.len)
		return false;
	found = memmem(text->ptr, text->len, part.ptr, part.len);
	if (found == NULL)
		return false;
	*text = slice_from(*text, (size_t)(found - text->ptr) + part.len);
	return true;
}

static bool ends_with(struct slice text, struct slice end)
{
	return text.len >= end.len &&
	       slice_equal(slice_from(text, text.len - end.len), end);
}

bool pattern_matches(struct slice pattern, struct slice text)
{
	struct slice part;

	if (slice_find(pattern, '*') < 0)
		return slice_equal(pattern, text);
	part = slice_cut(&pattern, '*');
	if (!slice_starts_with(text, part))
		return false;
	text = slice_from(text, part.len);
	while (slice_find(pattern, '*') >= 0) {
		part = slice_cut(&pattern, '*');
		if (!skip_past(&text, part))
			return false;
	}
	return ends_with(text, pattern);
}

bool permission_allows(struct slice role, struct slice verb, struct slice name)
{
	struct slice patterns;

	if (!slice_starts_with(role, verb))
		return false;
	patterns = slice_from(role, verb.len);
	if (patterns.len == 0)
		return true;
	if (patterns.ptr[0] != ':')
		return false;
	patterns = slice_from(patterns, 1);
	while (patterns.ptr != NULL) {
		if (pattern_matches(slice_cut(&patterns, ','), name))
			return true;
	}
	return false;
}

bool permission_has(struct hub_call *call, struct slice verb, struct slice name)
{
	const struct value *roles = hub_roles(call);

	if (name.len > PERMISSION_NAME_BYTES_MAX)
		return false;
	for (const struct value *role = roles->first; role != NULL; role = role->next) {
		if (permission_allows(role->bytes, verb, name))
			return true;
	}
	return false;
}

enum hub_rc permission_check(struct hub_call *call, struct slice verb, struct slice name)
{
	if (permission_has(call, verb, name))
		return HUB_OK;
	if (name.ptr == NULL)
		return hub_fail(call, "Not allowed: %.*s is missing.", SLICE_FMT(verb));
	return hub_fail(call, "Not allowed: %.*s:%.*s is missing.", SLICE_FMT(verb),
			SLICE_FMT(name));
}
