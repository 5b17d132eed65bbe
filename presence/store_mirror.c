/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/store_mirror.h"

#include <assert.h>

#include "proto/base/mem.h"

struct mirrored {
	struct map_node node;
	struct list gone_node; /* linked: he is not online */
	char id[];
};

static struct mirrored *mirrored_find(const struct mirror *mirror, struct slice user)
{
	struct map_node *node = map_find(&mirror->users, user);

	return node != NULL ? CONTAINER_OF(node, struct mirrored, node) : NULL;
}

static bool mirrored_is_online(struct map_node *node)
{
	return !list_is_linked(&CONTAINER_OF(node, struct mirrored, node)->gone_node);
}

static struct mirrored *mirrored_new(struct mirror *mirror, struct slice user)
{
	struct mirrored *mirrored = mem_alloc(sizeof(*mirrored) + user.len);

	memcpy(mirrored->id, user.ptr, user.len);
	list_init(&mirrored->gone_node);
	map_add(&mirror->users, &mirrored->node, slice_make(mirrored->id, user.len));
	mirror->n++;
	return mirrored;
}

/* He is online. */
static void mirrored_free(struct mirror *mirror, struct mirrored *mirrored)
{
	assert(!list_is_linked(&mirrored->gone_node));
	map_remove(&mirror->users, &mirrored->node);
	mirror->n--;
	mem_free(mirrored);
}

void mirror_init(struct mirror *mirror, uint64_t seed)
{
	*mirror = (struct mirror){ .state = MIRROR_NONE };
	map_init(&mirror->users, seed);
	list_init(&mirror->gone);
}

void mirror_clear(struct mirror *mirror)
{
	const uint64_t seed = mirror->users.seed;

	mirror_fini(mirror);
	mirror_init(mirror, seed);
}

void mirror_fini(struct mirror *mirror)
{
	struct map_node *node = map_next(&mirror->users, NULL);

	while (node != NULL) {
		struct mirrored *mirrored = CONTAINER_OF(node, struct mirrored, node);

		node = map_next(&mirror->users, node);
		mem_free(mirrored);
	}
	map_fini(&mirror->users);
	mirror->n = 0;
}

/* ---- loading */

void mirror_load(struct mirror *mirror)
{
	mirror_clear(mirror);
	mirror->state = MIRROR_LOADING;
}

void mirror_teach(struct mirror *mirror, struct slice user)
{
	assert(mirror->state == MIRROR_LOADING);
	if (mirrored_find(mirror, user) == NULL)
		(void)mirrored_new(mirror, user); /* the map has it */
}

void mirror_loaded(struct mirror *mirror)
{
	struct list *node;

	assert(mirror->state == MIRROR_LOADING);
	mirror->state = MIRROR_WHOLE;
	while ((node = list_shift(&mirror->gone)) != NULL) {
		mirror->n++; /* as those have who are freed */
		mirrored_free(mirror, CONTAINER_OF(node, struct mirrored, gone_node));
	}
}

/* ---- events */

void mirror_set(struct mirror *mirror, struct slice user, bool is_online)
{
	struct mirrored *mirrored = mirrored_find(mirror, user);

	if (mirror->state == MIRROR_NONE)
		return;
	if (mirrored == NULL)
		mirrored = mirrored_new(mirror, user);
	if (is_online) {
		if (list_is_linked(&mirrored->gone_node))
			mirror->n++;
		list_remove(&mirrored->gone_node);
	} else if (mirror->state == MIRROR_WHOLE) {
		mirrored_free(mirror, mirrored);
	} else if (!list_is_linked(&mirrored->gone_node)) {
		list_append(&mirror->gone, &mirrored->gone_node);
		mirror->n--;
	}
}

/* ---- asking */

bool mirror_has(const struct mirror *mirror, struct slice user)
{
	struct map_node *node = map_find(&mirror->users, user);

	return node != NULL && mirrored_is_online(node);
}

const struct map_node *mirror_next(const struct mirror *mirror,
				   const struct map_node *node)
{
	struct map_node *next = map_next(&mirror->users, node);

	while (next != NULL && !mirrored_is_online(next))
		next = map_next(&mirror->users, next);
	return next;
}
