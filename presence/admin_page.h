/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages: `limit` and `cursor` of a query, and `next` of an answer. To clients a cursor is
 * opaque text; inside is one letter for the kind of list and what whoever keeps the list
 * said, which may be any bytes.
 */
#ifndef PRESENCE_ADMIN_PAGE_H
#define PRESENCE_ADMIN_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

enum admin_list {
	ADMIN_LIST_USERS = 'u',
	ADMIN_LIST_CONNECTIONS = 'c',
	ADMIN_LIST_GROUPS = 'g',
	ADMIN_LIST_GROUPS_OF = 'o',
	ADMIN_LIST_MEMBERS = 'm',
};

struct admin_page {
	size_t limit;
	struct slice cursor; /* in the arena, or empty: the first page */
};

/* ERR_LIMIT: `limit` is no number from 1 to `limit_max`, which it is when absent;
 * ERR_ARGUMENT: the cursor is not of this list. */
MUST_CHECK enum err admin_page_read(struct slice query, enum admin_list list,
				    size_t limit_max, struct arena *arena,
				    struct admin_page *page);

/* Appends the member `next`, unless this was the last page. */
void admin_page_next(struct buf *out, enum admin_list list, struct slice next);

#endif
