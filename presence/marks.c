/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map; names stay for good, since a router comes back under its own.
 */
#include "presence/marks.h"

#include "proto/base/list.h"
#include "proto/base/mem.h"

struct mark {
	struct map_node node;
	size_t id_len;
	char id[MARK_ID_BYTES_MAX];
	char name[];
};

static struct mark *mark_of(struct map_node *node)
{
	return node != NULL ? CONTAINER_OF(node, struct mark, node) : NULL;
}

static struct slice mark_id(const struct mark *mark)
{
	return slice_make(mark->id, mark->id_len);
}

void marks_init(struct marks *marks, uint64_t seed)
{
	map_init(&marks->by_name, seed);
}

void marks_fini(struct marks *marks)
{
	struct map_node *node = map_next(&marks->by_name, NULL);

	while (node != NULL) {
		struct mark *mark = mark_of(node);

		node = map_next(&marks->by_name, node);
		mem_free(mark);
	}
	map_fini(&marks->by_name);
}

enum err marks_set(struct marks *marks, struct slice name, struct slice id)
{
	struct mark *mark = mark_of(map_find(&marks->by_name, name));

	if (id.len > sizeof(mark->id) ||
	    (mark == NULL && marks->by_name.count >= MARKS_MAX))
		return ERR_LIMIT;
	if (mark == NULL) {
		mark = mem_zalloc(sizeof(*mark) + name.len);
		if (name.len > 0)
			memcpy(mark->name, name.ptr, name.len);
		map_add(&marks->by_name, &mark->node, slice_make(mark->name, name.len));
	}
	if (slice_compare(id, mark_id(mark)) <= 0)
		return OK;
	mark->id_len = id.len;
	if (id.len > 0)
		memcpy(mark->id, id.ptr, id.len);
	return OK;
}

struct slice marks_find(const struct marks *marks, struct slice name)
{
	const struct mark *mark = mark_of(map_find(&marks->by_name, name));

	return mark != NULL ? mark_id(mark) : SLICE_NONE;
}
