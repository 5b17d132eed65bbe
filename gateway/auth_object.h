/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON object of a token or a key file, taken apart once: each name stands in it once,
 * values stay raw text until somebody asks for them by type. Pure.
 */
#ifndef GATEWAY_AUTH_OBJECT_H
#define GATEWAY_AUTH_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/arena.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/wire/json.h"

#define AUTH_OBJECT_MEMBERS_MAX 64
#define AUTH_OBJECT_DEPTH_MAX 16

struct auth_member {
	struct slice name;
	struct slice raw;
};

struct auth_object {
	struct auth_member items[AUTH_OBJECT_MEMBERS_MAX];
	size_t n;
};

/* All of `text`. ERR_MALFORMED: no JSON object, or a name stands in it twice; ERR_LIMIT:
 * more than `members_max` (<= AUTH_OBJECT_MEMBERS_MAX) members, or too deep. Slices point
 * into `text` and the arena. */
MUST_CHECK enum err auth_object_read(struct auth_object *object, size_t members_max,
				     struct slice text, struct arena *arena);

/* The raw value; NULL: no such member. */
const struct slice *auth_object_find(const struct auth_object *object, struct slice name);

/* An absent member is no error and leaves `*text` empty, with ptr NULL. ERR_MALFORMED:
 * not a string, or one with a NUL. */
MUST_CHECK enum err auth_object_text(const struct auth_object *object, struct slice name,
				     struct arena *arena, struct slice *text);

/*
 * A text, or a list of texts: appended to `items`. ERR_MALFORMED: anything else;
 * ERR_LIMIT: more than `max` in all.
 */
MUST_CHECK enum err auth_texts_read(struct slice raw, struct arena *arena,
				    struct slice *items, size_t max, size_t *n);

#endif
