/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of groups by example, and at random against a table too simple to be wrong.
 * TEST_SEED repeats a run.
 */
#include "router/group.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/mem.h"

#define GATEWAYS_N 4
#define GROUPS_N 6
#define CONNS_N 12
#define STEPS_N 20000

static struct group_table table;
static struct group_gateway gateways[GATEWAYS_N];

static void setup(void)
{
	group_table_init(&table, 7);
	for (int i = 0; i < GATEWAYS_N; i++)
		group_gateway_init(&gateways[i]);
}

static void teardown(void)
{
	group_table_fini(&table);
}

TestSuite(group, .init = setup, .fini = teardown);

static struct group_key key_of(const char *hub, int kind, const char *name)
{
	return (struct group_key){ slice_from_str(hub), kind, slice_from_str(name) };
}

static const struct group *find(const char *name)
{
	const struct group_key key = key_of("chat", 1, name);

	return group_find(&table, &key);
}

static void add(const char *name, const char *connection, int gateway)
{
	const struct group_key key = key_of("chat", 1, name);
	const struct group_member member = {
		.connection = slice_from_str(connection),
		.user_id = SLICE("ann"),
		.user_name = SLICE("Ann"),
	};

	group_add(&table, &key, &member, &gateways[gateway]);
}

static void drop(const char *name, const char *connection, int gateway)
{
	const struct group_key key = key_of("chat", 1, name);

	group_remove(&table, &key, slice_from_str(connection), &gateways[gateway]);
}

static size_t members_at(const struct group *group, int gateway)
{
	for (size_t i = 0; group != NULL && i < group->parts_n; i++) {
		if (group->parts[i].gateway == &gateways[gateway])
			return group->parts[i].members_n;
	}
	return 0;
}

static size_t list_len(const struct list *list)
{
	size_t n = 0;

	LIST_EACH (node, list)
		n++;
	return n;
}

/* ---- what it costs */

#define MANY 100000
#define MEMBERSHIP_BYTES_MAX 300 /* of a user's own, whose key has no other member */
#define MEMBER_BYTES_MAX 200	 /* of one more in a group */

/* Bytes that each of them took, with ids and names as long as they usually are. */
static size_t bytes_of_many(int kind, int keys_n)
{
	const size_t before = mem_used_bytes();

	for (int i = 0; i < MANY; i++) {
		char connection[32];
		char name[32];
		const struct group_member member = {
			.connection = { connection, 22 },
			.user_id = { name, strlen("user-000000") },
		};
		struct group_key key;

		(void)snprintf(connection, sizeof(connection), "%022d", i);
		(void)snprintf(name, sizeof(name), "user-%06d", i % keys_n);
		key = key_of("chat", kind, name);
		group_add(&table, &key, &member, &gateways[i % GATEWAYS_N]);
	}
	return (mem_used_bytes() - before) / MANY;
}

Test(group, a_user_costs_little)
{
	const size_t bytes = bytes_of_many(2, MANY);

	cr_expect_eq(table.groups.count, MANY);
	cr_expect_leq(bytes, MEMBERSHIP_BYTES_MAX, "%zu", bytes);
}

Test(group, a_member_costs_less)
{
	const size_t bytes = bytes_of_many(1, 1);

	cr_expect_eq(table.groups.count, 1);
	cr_expect_leq(bytes, MEMBER_BYTES_MAX, "%zu", bytes);
}

/* ---- by example */

Test(group, a_member_is_kept_with_who_it_is)
{
	struct group_member who;

	add("g", "c1", 0);
	cr_assert_not_null(find("g"));
	who = group_member_who(
		CONTAINER_OF(find("g")->members.next, struct member, group_node));
	cr_expect(slice_equal(who.connection, SLICE("c1")));
	cr_expect(slice_equal(who.user_id, SLICE("ann")));
	cr_expect(slice_equal(who.user_name, SLICE("Ann")));
}

Test(group, adding_twice_is_adding_once)
{
	add("g", "c1", 0);
	add("g", "c1", 0);
	cr_expect_eq(find("g")->members_n, 1);
	cr_expect_eq(members_at(find("g"), 0), 1);
	drop("g", "c1", 0);
	cr_expect_null(find("g"));
}

static bool move(const char *name, const char *connection, int from, int to)
{
	const struct group_key key = key_of("chat", 1, name);

	return group_move(&table, &key, slice_from_str(connection), &gateways[from],
			  &gateways[to]);
}

Test(group, a_member_goes_over_to_another_gateway)
{
	add("lobby", "c1", 0);
	cr_expect(move("lobby", "c1", 0, 1));
	cr_expect_eq(members_at(find("lobby"), 0), 0);
	cr_expect_eq(members_at(find("lobby"), 1), 1);
	cr_expect_eq(find("lobby")->members_n, 1);
	cr_expect_not(move("lobby", "c1", 0, 1));
	cr_expect_not(move("attic", "c1", 0, 1));
	drop("lobby", "c1", 0);
	cr_expect_not_null(find("lobby"));
	drop("lobby", "c1", 1);
	cr_expect_null(find("lobby"));
}

Test(group, a_member_that_is_there_already_is_one_afterwards)
{
	add("lobby", "c1", 0);
	add("lobby", "c1", 1);
	cr_expect(move("lobby", "c1", 0, 1));
	cr_expect_eq(find("lobby")->members_n, 1);
	cr_expect_eq(members_at(find("lobby"), 1), 1);
}

Test(group, a_group_ends_with_its_last_member)
{
	add("g", "c1", 0);
	add("g", "c2", 1);
	drop("g", "c1", 0);
	cr_expect_eq(find("g")->parts_n, 1);
	drop("g", "c2", 1);
	cr_expect_null(find("g"));
	cr_expect_eq(table.members.count, 0);
}

Test(group, only_the_gateway_that_brought_a_member_takes_it_away)
{
	add("g", "c1", 0);
	drop("g", "c1", 1);
	cr_expect_not_null(find("g"));
}

Test(group, taking_away_who_is_not_there_changes_nothing)
{
	add("g", "c1", 0);
	drop("g", "c2", 0);
	drop("h", "c1", 0);
	cr_expect_eq(find("g")->members_n, 1);
}

/* So that who uses a connection's token elsewhere cannot take the connection out. */
Test(group, a_connection_at_two_gateways_comes_and_goes_at_each)
{
	add("g", "c1", 0);
	add("g", "c1", 1);
	cr_expect_eq(members_at(find("g"), 0), 1);
	cr_expect_eq(members_at(find("g"), 1), 1);
	drop("g", "c1", 1);
	cr_expect_eq(members_at(find("g"), 0), 1);
	cr_expect_eq(members_at(find("g"), 1), 0);
	drop("g", "c1", 0);
	cr_expect_null(find("g"));
}

Test(group, a_lost_gateway_takes_its_members_out_of_every_group)
{
	add("g", "c1", 0);
	add("g", "c2", 1);
	add("h", "c1", 0);
	group_remove_gateway(&table, &gateways[0]);
	cr_expect_eq(find("g")->members_n, 1);
	cr_expect_null(find("h"));
	cr_expect(list_is_empty(&gateways[0].members));
}

Test(group, hub_kind_and_name_are_told_apart)
{
	const struct group_key keys[] = {
		key_of("ab", 1, "c"), key_of("a", 1, "bc"), key_of("ab", 2, "c"),
		key_of("abc", 1, ""), key_of("", 1, "abc"),
	};
	const struct group_member member = { .connection = SLICE("c1") };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		cr_expect_null(group_find(&table, &keys[i]), "key %zu", i);
		group_add(&table, &keys[i], &member, &gateways[0]);
	}
	cr_expect_eq(table.groups.count, 5);
	cr_expect_eq(table.members.count, 5);
}

Test(group, names_may_be_empty_and_hold_any_byte)
{
	const struct group_key empty = { SLICE_NONE, 1, SLICE_NONE };
	const struct group_key zero = { SLICE_NONE, 1, SLICE("\0") };
	const struct group_member member = { .connection = SLICE_NONE };

	group_add(&table, &empty, &member, &gateways[0]);
	cr_expect_not_null(group_find(&table, &empty));
	cr_expect_null(group_find(&table, &zero));
	group_remove(&table, &empty, SLICE_NONE, &gateways[0]);
	cr_expect_null(group_find(&table, &empty));
}

/* ---- at random */

/* Which gateway brought the connection into the group; 0: nobody, else index + 1. */
static int model[GROUPS_N][CONNS_N];
static uint64_t rng;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng % n);
}

static const char *name_of(char prefix, unsigned i)
{
	static char names[2][8];
	char *name = names[prefix == 'g'];

	snprintf(name, sizeof(names[0]), "%c%u", prefix, i);
	return name;
}

static void step(void)
{
	const unsigned group = below(GROUPS_N);
	const unsigned conn = below(CONNS_N);
	const unsigned gateway = below(GATEWAYS_N);
	int *cell = &model[group][conn];

	switch (below(40)) {
	case 0:
		group_remove_gateway(&table, &gateways[gateway]);
		for (int i = 0; i < GROUPS_N * CONNS_N; i++) {
			model[i / CONNS_N][i % CONNS_N] &= ~(1 << gateway);
		}
		break;
	case 1 ... 20:
		drop(name_of('g', group), name_of('c', conn), (int)gateway);
		*cell &= ~(1 << gateway);
		break;
	default:
		add(name_of('g', group), name_of('c', conn), (int)gateway);
		*cell |= 1 << gateway;
		break;
	}
}

static void check_group(unsigned i)
{
	const struct group *group = find(name_of('g', i));
	size_t at[GATEWAYS_N] = { 0 };
	size_t n = 0;
	size_t parts = 0;

	for (int c = 0; c < CONNS_N; c++) {
		for (int g = 0; g < GATEWAYS_N; g++) {
			at[g] += model[i][c] >> g & 1;
			n += model[i][c] >> g & 1;
		}
	}
	cr_assert_eq(group == NULL, n == 0);
	if (group == NULL)
		return;
	cr_assert_eq(group->members_n, n);
	cr_assert_eq(list_len(&group->members), n);
	for (int g = 0; g < GATEWAYS_N; g++) {
		cr_assert_eq(members_at(group, g), at[g]);
		parts += at[g] > 0;
	}
	cr_assert_eq(group->parts_n, parts);
}

static void check_gateways(void)
{
	size_t brought = 0;

	for (int g = 0; g < GATEWAYS_N; g++)
		brought += list_len(&gateways[g].members);
	cr_assert_eq(brought, table.members.count);
}

Test(group, agrees_with_a_simple_table_at_random)
{
	const char *seed = getenv("TEST_SEED");

	rng = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	rng |= 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	for (int i = 0; i < STEPS_N; i++) {
		step();
		check_group((unsigned)i % GROUPS_N);
		if (i % 50 == 0)
			check_gateways();
	}
}
