/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/lines.h"

#include "proto/base/mem.h"

#define ROOM_FIRST 16u

void lines_init(struct lines *lines)
{
	*lines = (struct lines){ .items = NULL };
	arena_init(&lines->arena);
}

void lines_fini(struct lines *lines)
{
	mem_free(lines->items);
	arena_fini(&lines->arena);
}

void lines_clear(struct lines *lines)
{
	lines->n = 0;
	arena_reset(&lines->arena);
}

void lines_add(struct lines *lines, struct slice line)
{
	char *copy = arena_alloc(&lines->arena, line.len + 1);

	for (size_t i = 0; i < line.len; i++)
		copy[i] = line.ptr[i] == '\n' || line.ptr[i] == '\r' ? ' ' : line.ptr[i];
	if (lines->n == lines->room) {
		lines->room = lines->room == 0 ? ROOM_FIRST : 2 * lines->room;
		lines->items =
			mem_realloc(lines->items, lines->room * sizeof(*lines->items));
	}
	lines->items[lines->n++] = slice_make(copy, line.len);
}
