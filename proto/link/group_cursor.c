/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names are bytes: NUL is one of them.
 */
#include "proto/link/group_cursor.h"

#include <string.h>

#define CURSOR_LETTER 'n'

struct slice group_cursor_encode(struct arena *arena, struct slice name)
{
	char *cursor = arena_alloc(arena, name.len + 1);

	cursor[0] = CURSOR_LETTER;
	if (name.len > 0)
		memcpy(cursor + 1, name.ptr, name.len);
	return slice_make(cursor, name.len + 1);
}

enum err group_cursor_decode(struct slice cursor, struct slice *name)
{
	*name = SLICE_NONE;
	if (cursor.len == 0)
		return OK;
	if (cursor.ptr[0] != CURSOR_LETTER)
		return ERR_ARGUMENT;
	*name = slice_make(cursor.ptr + 1, cursor.len - 1);
	return OK;
}
