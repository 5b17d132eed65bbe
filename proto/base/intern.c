/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map of counted texts.
 */
#include "proto/base/intern.h"

#include <assert.h>

#include "proto/base/list.h"
#include "proto/base/mem.h"

struct intern {
	struct map_node node;
	size_t refs;
	char text[];
};

void interns_init(struct interns *interns, uint64_t seed)
{
	map_init(&interns->texts, seed);
}

void interns_fini(struct interns *interns)
{
	assert(interns->texts.count == 0);
	map_fini(&interns->texts);
}

struct intern *intern_take(struct interns *interns, struct slice text)
{
	struct map_node *node;
	struct intern *intern;

	if (text.len == 0)
		return NULL;
	node = map_find(&interns->texts, text);
	if (node != NULL) {
		intern = CONTAINER_OF(node, struct intern, node);
		intern->refs++;
		return intern;
	}
	intern = mem_alloc(sizeof(*intern) + text.len);
	intern->refs = 1;
	memcpy(intern->text, text.ptr, text.len);
	map_add(&interns->texts, &intern->node, slice_make(intern->text, text.len));
	return intern;
}

void intern_drop(struct interns *interns, struct intern *intern)
{
	if (intern == NULL || --intern->refs > 0)
		return;
	map_remove(&interns->texts, &intern->node);
	mem_free(intern);
}

struct slice intern_text(const struct intern *intern)
{
	return intern != NULL ? map_key(&intern->node) : SLICE_NONE;
}
