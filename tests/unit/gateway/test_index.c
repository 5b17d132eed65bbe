/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index alone, on connections that are nothing but their two lists; then against a
 * table of who is in what that is too simple to be wrong. TEST_SEED repeats a run.
 */
#include "gateway/index.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GROUP LINK__KIND__KIND_GROUP
#define USER LINK__KIND__KIND_USER
#define CONNS 12
#define NAMES 8
#define HUBS 2
#define STEPS 20000

struct rig {
	struct index index;
	struct hub hubs[HUBS];
	struct conn conns[CONNS];
};

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	index_init(&rig->index, 7);
	for (size_t i = 0; i < CONNS; i++) {
		rig->conns[i].hub = &rig->hubs[i % HUBS];
		list_init(&rig->conns[i].memberships);
	}
}

static void leave(struct rig *rig, size_t conn, Link__Kind kind, struct slice name)
{
	struct index_key *key = index_find(&rig->index, rig->conns[conn].hub, kind, name);

	index_remove(&rig->index, index_find_membership(key, &rig->conns[conn]));
}

static void rig_fini(struct rig *rig)
{
	for (size_t i = 0; i < CONNS; i++) {
		LIST_EACH (node, &rig->conns[i].memberships)
			index_remove(&rig->index,
				     CONTAINER_OF(node, struct membership, conn_node));
		cr_expect_eq(rig->conns[i].memberships_n, 0);
		cr_expect_eq(rig->conns[i].groups_n, 0);
	}
	cr_expect_eq(rig->index.memberships_n, 0);
	index_fini(&rig->index);
}

Test(index, finds_what_was_added)
{
	struct rig rig;
	struct index_key *key;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("g")), OK);
	key = index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("g"));
	cr_assert(key);
	cr_expect_eq(key->members_n, 1);
	cr_expect(slice_equal(index_key_name(key), SLICE("g")));
	cr_expect(index_find_membership(key, &rig.conns[0]));
	cr_expect_null(index_find_membership(key, &rig.conns[2]));
	rig_fini(&rig);
}

Test(index, an_empty_index_has_nothing)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("g")));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE_NONE));
	rig_fini(&rig);
}

Test(index, adding_twice_changes_nothing)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("g")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("g")), ERR_EXISTS);
	cr_expect_eq(rig.index.memberships_n, 1);
	cr_expect_eq(rig.conns[0].memberships_n, 1);
	rig_fini(&rig);
}

Test(index, a_key_goes_with_its_last_member)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("g")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[2], GROUP, SLICE("g")), OK);
	leave(&rig, 0, GROUP, SLICE("g"));
	cr_expect(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("g")));
	leave(&rig, 2, GROUP, SLICE("g"));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("g")));
	rig_fini(&rig);
}

Test(index, hubs_kinds_and_names_are_apart)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("n")), OK);
	cr_expect_null(index_find(&rig.index, &rig.hubs[1], GROUP, SLICE("n")));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], USER, SLICE("n")));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("N")));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE_NONE));
	rig_fini(&rig);
}

Test(index, a_name_may_be_any_bytes)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("a\0b")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("a\0c")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE_NONE), OK);
	cr_expect_eq(rig.index.memberships_n, 3);
	cr_expect(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("a\0b")));
	cr_expect_null(index_find(&rig.index, &rig.hubs[0], GROUP, SLICE("a")));
	rig_fini(&rig);
}

Test(index, only_groups_count_as_groups)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], USER, SLICE("u")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("g")), OK);
	cr_expect_eq(rig.conns[0].groups_n, 1);
	cr_expect_eq(rig.conns[0].memberships_n, 2);
	leave(&rig, 0, GROUP, SLICE("g"));
	cr_expect_eq(rig.conns[0].groups_n, 0);
	rig_fini(&rig);
}

Test(index, a_user_counts_once_in_each_hub)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], GROUP, SLICE("u")), OK);
	cr_expect_eq(rig.index.users_n, 0);
	cr_expect_eq(index_add(&rig.index, &rig.conns[0], USER, SLICE("u")), OK);
	cr_expect_eq(index_add(&rig.index, &rig.conns[2], USER, SLICE("u")), OK);
	cr_expect_eq(rig.index.users_n, 1);
	cr_expect_eq(index_add(&rig.index, &rig.conns[1], USER, SLICE("u")), OK);
	cr_expect_eq(rig.index.users_n, 2);
	leave(&rig, 0, USER, SLICE("u"));
	cr_expect_eq(rig.index.users_n, 2);
	leave(&rig, 2, USER, SLICE("u"));
	leave(&rig, 0, GROUP, SLICE("u"));
	cr_expect_eq(rig.index.users_n, 1);
	rig_fini(&rig);
	cr_expect_eq(rig.index.users_n, 0);
}

/* ---- against a table */

static uint64_t rng;

static size_t roll(size_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (size_t)(rng % n);
}

static const Link__Kind kinds[] = { GROUP, USER };

struct model {
	bool is_in[CONNS][2][NAMES];
};

static struct slice name_of(size_t i)
{
	static const char text[NAMES + 1] = "abcdefgh";

	return slice_make(text, i); /* each the beginning of the next; the first empty */
}

static void compare_key(struct rig *rig, const struct model *model, size_t hub,
			size_t kind, size_t name)
{
	const struct index_key *key =
		index_find(&rig->index, &rig->hubs[hub], kinds[kind], name_of(name));
	size_t n = 0;

	for (size_t i = hub; i < CONNS; i += HUBS)
		n += model->is_in[i][kind][name];
	cr_assert_eq(key ? key->members_n : 0, n);
	for (size_t i = hub; key && i < CONNS; i += HUBS) {
		const struct membership *found =
			index_find_membership(key, &rig->conns[i]);

		cr_assert_eq(found != NULL, model->is_in[i][kind][name]);
	}
}

static void compare(struct rig *rig, const struct model *model)
{
	for (size_t hub = 0; hub < HUBS; hub++) {
		for (size_t kind = 0; kind < 2; kind++) {
			for (size_t name = 0; name < NAMES; name++)
				compare_key(rig, model, hub, kind, name);
		}
	}
}

static void step(struct rig *rig, struct model *model)
{
	const size_t conn = roll(CONNS);
	const size_t kind = roll(2);
	const size_t name = roll(NAMES);
	bool *is_in = &model->is_in[conn][kind][name];

	if (roll(2) == 0) {
		const enum err rc = index_add(&rig->index, &rig->conns[conn], kinds[kind],
					      name_of(name));

		cr_assert_eq(rc, *is_in ? ERR_EXISTS : OK);
		*is_in = true;
	} else if (*is_in) {
		leave(rig, conn, kinds[kind], name_of(name));
		*is_in = false;
	}
}

Test(index, agrees_with_a_table)
{
	const char *seed = getenv("TEST_SEED");
	struct model model = { 0 };
	struct rig rig;

	rng = seed != NULL ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	rng += rng == 0; /* stuck there */
	rig_init(&rig);
	for (int i = 0; i < STEPS; i++) {
		step(&rig, &model);
		if (i % 50 == 0)
			compare(&rig, &model);
	}
	compare(&rig, &model);
	rig_fini(&rig);
}
