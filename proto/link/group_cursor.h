/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the next page of groups begins, in commands (docs/LINK.md): behind the name of
 * the last one on this page. A letter stands before it, so that no cursor is empty: a
 * name may be.
 */
#ifndef PROTO_LINK_GROUP_CURSOR_H
#define PROTO_LINK_GROUP_CURSOR_H

#include "proto/base/arena.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

/* In the arena. */
struct slice group_cursor_encode(struct arena *arena, struct slice name);

/* `*name` is a part of `cursor`; its ptr is NULL when that is empty: the first page.
 * ERR_ARGUMENT: it is none. */
MUST_CHECK enum err group_cursor_decode(struct slice cursor, struct slice *name);

#endif
