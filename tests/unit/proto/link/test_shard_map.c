/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of shards: which are taken, in what order, and whom keys belong to in each phase.
 * Owners are compared with those of the lists alone (shards.c), whose values are golden.
 */
#include "proto/link/shard_map.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/buf.h"
#include "proto/base/mem.h"

TestSuite(shard_map, .timeout = 60);

#define GROUP 1
#define KEYS 5000u

#define TWO "r1=tcp://a:1,r2=tcp://b:1"
#define THREE TWO ",r3=tcp://c:1"
#define OTHERS "r3=tcp://c:1,r4=tcp://d:1"

static enum err offer(struct shard_map *map, uint64_t epoch, enum shard_phase phase,
		      const char *routers, const char *next, enum shard_verdict *verdict)
{
	const struct shard_offer what = { epoch, phase, slice_from_str(routers),
					  slice_from_str(next) };

	return shard_map_take(map, &what, verdict);
}

static enum shard_verdict take(struct shard_map *map, uint64_t epoch,
			       enum shard_phase phase, const char *routers,
			       const char *next)
{
	enum shard_verdict verdict;

	cr_assert_eq(offer(map, epoch, phase, routers, next, &verdict), OK);
	return verdict;
}

static void map_start(struct shard_map *map, const char *routers)
{
	cr_assert_eq(shard_map_init(map, routers), OK);
}

static struct slice key(char text[32], unsigned i)
{
	return slice_make(text, (size_t)snprintf(text, 32, "group-%u", i));
}

/* By a list alone. */
static const char *owner_in(const struct shards *list, struct slice name)
{
	return list->items[shards_owner(list, SLICE("chat"), GROUP, name)].name;
}

static const char *name_of(const struct shard_map *map, size_t index)
{
	cr_assert_lt(index, map->all.n);
	return map->all.items[index].name;
}

/* ---- owners */

/* Every answer of the map against the two lists. Returns how many keys move. */
static unsigned expect_owners(const struct shard_map *map, const char *from,
			      const char *to)
{
	const bool is_committed = map->phase == SHARD_PHASE_COMMIT;
	struct shards a;
	struct shards b;
	unsigned moved = 0;
	char text[32];

	cr_assert_eq(shards_parse(&a, from), OK);
	cr_assert_eq(shards_parse(&b, to), OK);
	for (unsigned i = 0; i < KEYS; i++) {
		const struct slice name = key(text, i);
		const char *first = owner_in(is_committed ? &b : &a, name);
		const char *second = owner_in(is_committed ? &a : &b, name);
		size_t owners[2];
		const size_t n =
			shard_map_owners(map, SLICE("chat"), GROUP, name, owners);

		cr_assert_eq(n, strcmp(first, second) == 0 ? 1 : 2);
		cr_assert_str_eq(name_of(map, owners[0]), first);
		cr_assert_eq(shard_map_owner(map, SLICE("chat"), GROUP, name), owners[0]);
		cr_assert_eq(shard_map_moves(map, SLICE("chat"), GROUP, name), n == 2);
		if (n == 2)
			cr_assert_str_eq(name_of(map, owners[1]), second);
		for (size_t r = 0; r < map->all.n; r++)
			cr_assert_eq(
				shard_map_is_owner(map, r, SLICE("chat"), GROUP, name),
				r == owners[0] || (n == 2 && r == owners[1]));
		moved += n == 2;
	}
	shards_fini(&a);
	shards_fini(&b);
	return moved;
}

Test(shard_map, starts_with_the_option)
{
	struct shard_map map;

	map_start(&map, THREE);
	cr_expect_eq(map.epoch, 0);
	cr_expect_eq(map.phase, SHARD_PHASE_STABLE);
	cr_expect_eq(map.all.n, 3);
	cr_expect_eq(expect_owners(&map, THREE, THREE), 0);
	shard_map_fini(&map);
}

Test(shard_map, may_start_with_no_routers)
{
	struct shard_map map;

	map_start(&map, "");
	cr_expect_eq(map.all.n, 0);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_STABLE, TWO, ""), SHARD_JUMP);
	cr_expect_eq(map.all.n, 2);
	shard_map_fini(&map);
}

Test(shard_map, goes_through_the_phases)
{
	struct shard_map map;

	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_PREPARE, TWO, THREE), SHARD_STEP);
	cr_expect_gt(expect_owners(&map, TWO, THREE), 0);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_COMMIT, TWO, THREE), SHARD_STEP);
	cr_expect_gt(expect_owners(&map, TWO, THREE), 0);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_STABLE, THREE, ""), SHARD_STEP);
	cr_expect_eq(expect_owners(&map, THREE, THREE), 0);
	shard_map_fini(&map);
}

Test(shard_map, all_routers_may_be_others)
{
	struct shard_map map;

	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_PREPARE, TWO, OTHERS), SHARD_STEP);
	cr_expect_eq(map.all.n, 4);
	cr_expect_eq(expect_owners(&map, TWO, OTHERS), KEYS);
	cr_expect(shard_map_is_active(&map, 0));
	cr_expect_not(shard_map_is_active(&map, 3));
	(void)take(&map, 1, SHARD_PHASE_COMMIT, TWO, OTHERS);
	cr_expect_eq(expect_owners(&map, TWO, OTHERS), KEYS);
	cr_expect_not(shard_map_is_active(&map, 0));
	cr_expect(shard_map_is_active(&map, 3));
	(void)take(&map, 1, SHARD_PHASE_STABLE, OTHERS, "");
	cr_expect_eq(map.all.n, 2);
	cr_expect_not(shard_map_has(&map, SLICE("r1")));
	cr_expect(shard_map_has(&map, SLICE("r4")));
	shard_map_fini(&map);
}

/* n routers, r0 and up. */
static char *list_of(unsigned n)
{
	struct buf text = BUF_INIT;
	char *list;

	for (unsigned i = 0; i < n; i++)
		buf_appendf(&text, "%sr%u=tcp://h%u:1", i > 0 ? "," : "", i, i);
	list = mem_dup(text.ptr, text.len);
	buf_fini(&text);
	return list;
}

/* What moves is what the newcomers own, or what those that leave have owned: so much of
 * all keys, give or take the unevenness of the ring. */
Test(shard_map, only_keys_that_must_move_do)
{
	for (unsigned from = 1; from <= 8; from++) {
		for (unsigned to = 1; to <= 8; to++) {
			char *a = list_of(from);
			char *b = list_of(to);
			const double share = from < to ? (to - from) / (double)to
						       : (from - to) / (double)from;
			struct shard_map map;
			unsigned moved;

			map_start(&map, a);
			(void)take(&map, 1, SHARD_PHASE_PREPARE, a, b);
			moved = expect_owners(&map, a, b);
			cr_expect_leq(moved, KEYS * (share + 0.10), "%u to %u: %u", from,
				      to, moved);
			cr_expect_geq(moved, KEYS * (share - 0.10), "%u to %u: %u", from,
				      to, moved);
			shard_map_fini(&map);
			mem_free(a);
			mem_free(b);
		}
	}
}

/* ---- order */

Test(shard_map, takes_only_greater_ones)
{
	struct shard_map map;

	map_start(&map, TWO);
	cr_expect_eq(take(&map, 0, SHARD_PHASE_STABLE, THREE, ""), SHARD_OLD);
	cr_expect_str_eq(map.routers, TWO);
	(void)take(&map, 3, SHARD_PHASE_COMMIT, TWO, THREE);
	cr_expect_eq(take(&map, 3, SHARD_PHASE_COMMIT, TWO, OTHERS), SHARD_OLD);
	cr_expect_eq(take(&map, 3, SHARD_PHASE_PREPARE, TWO, OTHERS), SHARD_OLD);
	cr_expect_eq(take(&map, 2, SHARD_PHASE_STABLE, OTHERS, ""), SHARD_OLD);
	cr_expect_str_eq(map.next, THREE);
	cr_expect(shard_map_is_before(&map, 3, SHARD_PHASE_STABLE));
	cr_expect_not(shard_map_is_before(&map, 3, SHARD_PHASE_COMMIT));
	shard_map_fini(&map);
}

Test(shard_map, what_passes_over_a_phase_is_a_jump)
{
	static const struct {
		uint64_t epoch;
		enum shard_phase phase;
		const char *routers;
		const char *next;
		enum shard_verdict verdict;
	} maps[] = {
		/* from (1, PREPARE, TWO, THREE) */
		{ 1, SHARD_PHASE_COMMIT, TWO, THREE, SHARD_STEP },
		{ 1, SHARD_PHASE_COMMIT, TWO, OTHERS, SHARD_JUMP },
		{ 1, SHARD_PHASE_COMMIT, OTHERS, THREE, SHARD_JUMP },
		{ 1, SHARD_PHASE_STABLE, THREE, "", SHARD_JUMP },
		{ 2, SHARD_PHASE_STABLE, TWO, "", SHARD_STEP }, /* given up */
		{ 2, SHARD_PHASE_STABLE, THREE, "", SHARD_JUMP },
		{ 2, SHARD_PHASE_PREPARE, TWO, OTHERS, SHARD_JUMP },
		{ 3, SHARD_PHASE_STABLE, TWO, "", SHARD_JUMP },
		/* The order of a list, and its ranges, are no part of it. */
		{ 1, SHARD_PHASE_COMMIT, "r2=tcp://b:1,r1=tcp://a:1", THREE, SHARD_STEP },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct shard_map map;

		map_start(&map, TWO);
		(void)take(&map, 1, SHARD_PHASE_PREPARE, TWO, THREE);
		cr_expect_eq(take(&map, maps[i].epoch, maps[i].phase, maps[i].routers,
				  maps[i].next),
			     maps[i].verdict, "%zu", i);
		cr_expect_eq(map.epoch, maps[i].epoch);
		shard_map_fini(&map);
	}
}

/* So processes agree at the start, and one that starts later resets no link. */
Test(shard_map, what_all_go_by_is_a_step_for_who_was_given_the_same)
{
	struct shard_map map;

	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_STABLE, TWO, ""), SHARD_STEP);
	cr_expect_eq(take(&map, 3, SHARD_PHASE_STABLE, TWO, ""), SHARD_JUMP);
	shard_map_fini(&map);
	map_start(&map, TWO);
	cr_expect_eq(take(&map, 7, SHARD_PHASE_STABLE, "r2=tcp://b:1,r1=tcp://a:1", ""),
		     SHARD_STEP);
	shard_map_fini(&map);
	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_STABLE, THREE, ""), SHARD_JUMP);
	shard_map_fini(&map);
	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_COMMIT, TWO, THREE), SHARD_JUMP);
	shard_map_fini(&map);
}

Test(shard_map, a_list_that_is_not_ours_is_a_jump)
{
	struct shard_map map;

	map_start(&map, TWO);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_PREPARE, OTHERS, THREE), SHARD_JUMP);
	shard_map_fini(&map);
	map_start(&map, TWO);
	(void)take(&map, 1, SHARD_PHASE_COMMIT, TWO, THREE);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_STABLE, OTHERS, ""), SHARD_JUMP);
	shard_map_fini(&map);
}

/* ---- what is refused */

Test(shard_map, refuses_what_is_no_map_and_stays_as_it_was)
{
	static const struct {
		uint64_t epoch;
		enum shard_phase phase;
		const char *routers;
		const char *next;
		enum err rc;
	} maps[] = {
		{ 1, SHARD_PHASE_NONE, TWO, THREE, ERR_MALFORMED },
		{ 1, (enum shard_phase)4, TWO, THREE, ERR_MALFORMED },
		{ 1, SHARD_PHASE_PREPARE, TWO, "", ERR_MALFORMED },
		{ 1, SHARD_PHASE_PREPARE, "", TWO, ERR_MALFORMED },
		{ 1, SHARD_PHASE_COMMIT, TWO, "", ERR_MALFORMED },
		{ 1, SHARD_PHASE_STABLE, TWO, THREE, ERR_MALFORMED },
		{ 1, SHARD_PHASE_STABLE, "", "", ERR_MALFORMED },
		{ 0, SHARD_PHASE_PREPARE, TWO, THREE, ERR_MALFORMED },
		{ 1, SHARD_PHASE_STABLE, "r1", "", ERR_MALFORMED },
		{ 1, SHARD_PHASE_PREPARE, TWO, "r3", ERR_MALFORMED },
		{ 1, SHARD_PHASE_PREPARE, TWO, "r3=a,r3=b", ERR_EXISTS },
		/* One router in two places. */
		{ 1, SHARD_PHASE_PREPARE, TWO, "r1=tcp://z:1", ERR_EXISTS },
	};
	struct shard_map map;
	enum shard_verdict verdict;

	map_start(&map, THREE);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		cr_expect_eq(offer(&map, maps[i].epoch, maps[i].phase, maps[i].routers,
				   maps[i].next, &verdict),
			     maps[i].rc, "%zu", i);
		cr_expect_eq(map.epoch, 0);
		cr_expect_str_eq(map.routers, THREE);
	}
	cr_expect_eq(expect_owners(&map, THREE, THREE), 0);
	shard_map_fini(&map);
}

Test(shard_map, a_list_with_a_nul_is_none)
{
	struct shard_map map;
	enum shard_verdict verdict;
	const struct shard_offer what = { 1, SHARD_PHASE_STABLE, SLICE("r1=a\0b"),
					  SLICE("") };

	map_start(&map, TWO);
	cr_expect_eq(shard_map_take(&map, &what, &verdict), ERR_MALFORMED);
	shard_map_fini(&map);
}

Test(shard_map, both_lists_may_name_as_many_as_a_ring_has)
{
	char *all = list_of(RING_MEMBERS_MAX);
	char *few = list_of(RING_MEMBERS_MAX - 1);
	struct shard_map map;
	enum shard_verdict verdict;

	map_start(&map, few);
	cr_expect_eq(take(&map, 1, SHARD_PHASE_PREPARE, few, all), SHARD_STEP);
	cr_expect_eq(map.all.n, RING_MEMBERS_MAX);
	shard_map_fini(&map);
	map_start(&map, all);
	cr_expect_eq(offer(&map, 1, SHARD_PHASE_PREPARE, all, "x=tcp://x:1", &verdict),
		     ERR_LIMIT);
	cr_expect_eq(map.all.n, RING_MEMBERS_MAX);
	shard_map_fini(&map);
	mem_free(all);
	mem_free(few);
}

Test(shard_map, a_list_may_be_so_long_and_no_longer)
{
	struct buf text = BUF_INIT;
	struct shard_map map;

	buf_append_str(&text, "r1=tcp://");
	while (text.len < SHARD_MAP_TEXT_MAX)
		buf_append_byte(&text, 'h');
	buf_append_byte(&text, '\0');
	map_start(&map, text.ptr);
	shard_map_fini(&map);
	text.ptr[text.len - 1] = 'h';
	buf_append_byte(&text, '\0');
	cr_expect_eq(shard_map_init(&map, text.ptr), ERR_LIMIT);
	shard_map_fini(&map);
	buf_fini(&text);
}

Test(shard_map, phases_have_names)
{
	cr_expect_str_eq(shard_phase_name(SHARD_PHASE_PREPARE), "prepare");
	cr_expect_str_eq(shard_phase_name(SHARD_PHASE_COMMIT), "commit");
	cr_expect_str_eq(shard_phase_name(SHARD_PHASE_STABLE), "stable");
	cr_expect_str_eq(shard_phase_name((enum shard_phase)9), "none");
}
