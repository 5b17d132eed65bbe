/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two rings over one table of routers. Points carry indexes of that table, which is
 * sorted by name: so of equal points the name that is first counts, as on a ring of one
 * list.
 */
#include "proto/link/shard_map.h"

#include <assert.h>

#include "proto/base/mem.h"

/* ---- making one */

/* "" is the list of none. */
static enum err list_parse(struct shards *list, struct slice text)
{
	enum err rc;
	char *copy;

	*list = (struct shards){ 0 };
	if (text.len == 0)
		return OK;
	if (text.len > SHARD_MAP_TEXT_MAX)
		return ERR_LIMIT;
	if (memchr(text.ptr, '\0', text.len) != NULL)
		return ERR_MALFORMED;
	copy = mem_dup(text.ptr, text.len);
	rc = shards_parse(list, copy);
	mem_free(copy);
	return rc;
}

static void item_copy(struct shards *all, const struct shard *shard)
{
	all->items[all->n++] = (struct shard){
		.name = mem_dup(shard->name, strlen(shard->name)),
		.url = mem_dup(shard->url, strlen(shard->url)),
	};
}

/* Both are sorted, and so is the result. A router is where one list says, not in two
 * places: ERR_EXISTS. */
static enum err lists_merge(struct shards *all, const struct shards *a,
			    const struct shards *b)
{
	size_t i = 0;
	size_t j = 0;

	all->items = mem_zalloc((a->n + b->n) * sizeof(*all->items));
	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : -1;

		if (i < a->n && j < b->n)
			order = strcmp(a->items[i].name, b->items[j].name);
		if (order == 0 && strcmp(a->items[i].url, b->items[j].url) != 0)
			return ERR_EXISTS;
		item_copy(all, order <= 0 ? &a->items[i] : &b->items[j]);
		i += order <= 0;
		j += order >= 0;
	}
	return all->n <= RING_MEMBERS_MAX ? OK : ERR_LIMIT;
}

/* Who is not in the list has no place. */
static void ring_fill(struct ring *ring, const struct shards *all,
		      const struct shards *list)
{
	struct slice *names = mem_zalloc(all->n * sizeof(*names));

	for (size_t i = 0; i < all->n; i++) {
		const struct slice name = slice_from_str(all->items[i].name);

		if (shards_find(list, name) >= 0)
			names[i] = name;
	}
	if (ring_add_all(ring, names, all->n) != OK)
		assert(false); /* `all` has no more than a ring */
	mem_free(names);
}

/* `map` is ended with shard_map_fini() in any case. */
static enum err map_make(struct shard_map *map, const struct shard_offer *offer)
{
	struct shards routers;
	struct shards next = { 0 };
	enum err rc;

	*map = (struct shard_map){ .epoch = offer->epoch, .phase = offer->phase };
	ring_init(&map->old);
	ring_init(&map->fresh);
	map->routers = mem_dup(offer->routers.ptr, offer->routers.len);
	map->next = mem_dup(offer->next.ptr, offer->next.len);
	rc = list_parse(&routers, offer->routers);
	if (rc == OK)
		rc = list_parse(&next, offer->next);
	if (rc == OK)
		rc = lists_merge(&map->all, &routers, &next);
	if (rc == OK) {
		ring_fill(&map->old, &map->all, &routers);
		ring_fill(&map->fresh, &map->all, &next);
	}
	shards_fini(&routers);
	shards_fini(&next);
	return rc;
}

enum err shard_map_init(struct shard_map *map, const char *routers)
{
	const struct shard_offer first = {
		.phase = SHARD_PHASE_STABLE,
		.routers = slice_from_str(routers),
		.next = SLICE(""),
	};

	return map_make(map, &first);
}

void shard_map_fini(struct shard_map *map)
{
	shards_fini(&map->all);
	ring_fini(&map->old);
	ring_fini(&map->fresh);
	mem_free(map->routers);
	mem_free(map->next);
	*map = (struct shard_map){ 0 };
}

/* ---- the next one */

bool shard_map_is_before(const struct shard_map *map, uint64_t epoch,
			 enum shard_phase phase)
{
	return map->epoch < epoch || (map->epoch == epoch && map->phase < phase);
}

static bool offer_is_whole(const struct shard_offer *offer)
{
	switch (offer->phase) {
	case SHARD_PHASE_PREPARE:
	case SHARD_PHASE_COMMIT:
		return offer->epoch > 0 && offer->routers.len > 0 && offer->next.len > 0;
	case SHARD_PHASE_STABLE:
		return offer->routers.len > 0 && offer->next.len == 0;
	case SHARD_PHASE_NONE:
	default:
		return false;
	}
}

/* The same routers? Keys follow from names alone. */
static bool is_same(const struct shard_map *a, const struct ring *of_a,
		    const struct shard_map *b, const struct ring *of_b)
{
	if (of_a->points_n != of_b->points_n)
		return false;
	for (size_t i = 0; i < of_a->points_n; i++) {
		const char *name = a->all.items[of_a->points[i].member].name;

		if (strcmp(name, b->all.items[of_b->points[i].member].name) != 0)
			return false;
	}
	return true;
}

/* Whoever goes from `map` to `later` has missed nothing between them. */
static bool is_step(const struct shard_map *map, const struct shard_map *later)
{
	/* The routers that it was given are those that all go by: it misses nothing. */
	if (map->epoch == 0 && later->phase == SHARD_PHASE_STABLE)
		return is_same(map, &map->old, later, &later->old);
	if (later->epoch == map->epoch + 1 && later->phase == SHARD_PHASE_PREPARE)
		return map->phase == SHARD_PHASE_STABLE &&
		       is_same(map, &map->old, later, &later->old);
	/* Given up: nobody has gone by the new list. */
	if (later->epoch == map->epoch + 1 && later->phase == SHARD_PHASE_STABLE)
		return map->phase == SHARD_PHASE_PREPARE &&
		       is_same(map, &map->old, later, &later->old);
	if (later->epoch != map->epoch || later->phase != map->phase + 1)
		return false;
	if (later->phase == SHARD_PHASE_COMMIT)
		return is_same(map, &map->old, later, &later->old) &&
		       is_same(map, &map->fresh, later, &later->fresh);
	return is_same(map, &map->fresh, later, &later->old);
}

enum err shard_map_take(struct shard_map *map, const struct shard_offer *offer,
			enum shard_verdict *verdict)
{
	struct shard_map later;
	enum err rc;

	*verdict = SHARD_OLD;
	if (!offer_is_whole(offer))
		return ERR_MALFORMED;
	if (!shard_map_is_before(map, offer->epoch, offer->phase))
		return OK;
	rc = map_make(&later, offer);
	if (rc != OK) {
		shard_map_fini(&later);
		return rc;
	}
	*verdict = is_step(map, &later) ? SHARD_STEP : SHARD_JUMP;
	shard_map_fini(map);
	*map = later;
	return OK;
}

/* ---- owners */

static const struct ring *ring_of_senders(const struct shard_map *map)
{
	return map->phase == SHARD_PHASE_COMMIT ? &map->fresh : &map->old;
}

size_t shard_map_owner(const struct shard_map *map, struct slice hub, int kind,
		       struct slice name)
{
	return ring_owner(ring_of_senders(map), shards_hash(hub, kind, name));
}

size_t shard_map_owners(const struct shard_map *map, struct slice hub, int kind,
			struct slice name, size_t owners[2])
{
	const uint64_t hash = shards_hash(hub, kind, name);
	const struct ring *other =
		map->phase == SHARD_PHASE_COMMIT ? &map->old : &map->fresh;

	owners[0] = ring_owner(ring_of_senders(map), hash);
	if (map->phase == SHARD_PHASE_STABLE)
		return 1;
	owners[1] = ring_owner(other, hash);
	return owners[0] == owners[1] ? 1 : 2;
}

bool shard_map_is_owner(const struct shard_map *map, size_t index, struct slice hub,
			int kind, struct slice name)
{
	size_t owners[2];
	const size_t n = shard_map_owners(map, hub, kind, name, owners);

	return owners[0] == index || (n == 2 && owners[1] == index);
}

bool shard_map_moves(const struct shard_map *map, struct slice hub, int kind,
		     struct slice name)
{
	size_t owners[2];

	return shard_map_owners(map, hub, kind, name, owners) == 2;
}

/* ---- routers */

bool shard_map_is_active(const struct shard_map *map, size_t index)
{
	const struct ring *ring = ring_of_senders(map);

	for (size_t i = 0; i < ring->points_n; i++) {
		if (ring->points[i].member == index)
			return true;
	}
	return false;
}

bool shard_map_has(const struct shard_map *map, struct slice name)
{
	return shards_find(&map->all, name) >= 0;
}

const char *shard_phase_name(enum shard_phase phase)
{
	switch (phase) {
	case SHARD_PHASE_PREPARE:
		return "prepare";
	case SHARD_PHASE_COMMIT:
		return "commit";
	case SHARD_PHASE_STABLE:
		return "stable";
	case SHARD_PHASE_NONE:
	default:
		return "none";
	}
}
