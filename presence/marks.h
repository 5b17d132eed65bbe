/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far each of those who follow the changes has got, by name. Pure.
 */
#ifndef PRESENCE_MARKS_H
#define PRESENCE_MARKS_H

#include "proto/base/err.h"
#include "proto/base/map.h"

#define MARKS_MAX 1024 /* names; there are 256 routers at most */
#define MARK_ID_BYTES_MAX 63

struct marks {
	struct map by_name;
};

void marks_init(struct marks *marks, uint64_t seed);
void marks_fini(struct marks *marks);

/* Without effect unless `id` is behind the one that is set, by its bytes. ERR_LIMIT: too
 * many names, or an id that is too long. */
MUST_CHECK enum err marks_set(struct marks *marks, struct slice name, struct slice id);

/* Empty: none. Valid until the name's next marks_set(). */
struct slice marks_find(const struct marks *marks, struct slice name);

#endif
