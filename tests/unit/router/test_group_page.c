/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of groups and of members, while others come and go between them: whatever stays
 * is told exactly once.
 */
#include "router/group_page.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/base/arena.h"

#define GATEWAYS_N 2
#define PAGE_MAX 7
#define LARGE 3000 /* members: they have an order of their own */
#define SMALL 100  /* they have not */
#define GROUPS_N 2000
#define KIND_USER 2
#define TEXT_MAX 1024

static struct group_table table;
static struct group_gateway gateways[GATEWAYS_N];
static struct arena arena;
static uint64_t rng;

static void setup(void)
{
	const char *seed = getenv("TEST_SEED");

	rng = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	rng |= 1;
	fprintf(stderr, "TEST_SEED=%" PRIu64 "\n", rng);
	group_table_init(&table, 7);
	arena_init(&arena);
	for (int i = 0; i < GATEWAYS_N; i++)
		group_gateway_init(&gateways[i]);
}

static void teardown(void)
{
	group_table_fini(&table);
	arena_fini(&arena);
}

TestSuite(group_page, .init = setup, .fini = teardown, .timeout = 60);

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng % n);
}

static void add_at(const char *hub, int kind, struct slice name, struct slice connection,
		   int gateway)
{
	const struct group_key key = { slice_from_str(hub), kind, name };
	const struct group_member member = { .connection = connection };

	group_add(&table, &key, &member, &gateways[gateway]);
}

static void add(const char *hub, const char *name, const char *connection)
{
	add_at(hub, GROUP_KIND_LISTED, slice_from_str(name), slice_from_str(connection),
	       0);
}

static void drop(const char *hub, const char *name, const char *connection)
{
	const struct group_key key = { slice_from_str(hub), GROUP_KIND_LISTED,
				       slice_from_str(name) };

	group_remove(&table, &key, slice_from_str(connection), &gateways[0]);
}

static const char *numbered(const char *prefix, unsigned i)
{
	return arena_printf(&arena, "%s%05u", prefix, i).ptr;
}

/* ---- groups */

/* The names of one page, a space behind each. */
static const char *names(struct group_query query, size_t limit)
{
	static char text[TEXT_MAX];
	const struct group *group;
	struct group_page page;
	size_t len = 0;

	text[0] = '\0';
	group_page_init(&page, &table, &query);
	while (limit-- > 0 && (group = group_page_next(&page)) != NULL) {
		const struct slice name = group_key_of(group).name;

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s ",
					SLICE_FMT(name));
	}
	group_page_fini(&page);
	return text;
}

static struct group_query query_of(const char *hub, const char *prefix, const char *after)
{
	return (struct group_query){ slice_from_str(hub), slice_from_str(prefix),
				     slice_from_str(after) };
}

static void expect_names(const char *hub, const char *prefix, const char *after,
			 const char *wanted)
{
	const char *got = names(query_of(hub, prefix, after), SIZE_MAX);

	cr_expect_str_eq(got, wanted, "%s %s %s: %s", hub, prefix, after, got);
}

static size_t count(const char *hub, const char *prefix)
{
	const struct group_query query = query_of(hub, prefix, NULL);

	return group_page_count(&table, &query);
}

Test(group_page, groups_are_listed_by_name_in_their_hub)
{
	add("chat", "b", "c1");
	add("chat", "a", "c1");
	add("chat", "ab", "c2");
	add("cha", "z", "c1");
	add("chats", "0", "c1");
	add_at("chat", KIND_USER, SLICE("ann"), SLICE("c1"), 0);
	expect_names("chat", "", NULL, "a ab b ");
	expect_names("cha", "", NULL, "z ");
	expect_names("relay", "", NULL, "");
	cr_expect_eq(count("chat", ""), 3);
	cr_expect_eq(count("cha", ""), 1);
	cr_expect_eq(count("relay", ""), 0);
}

Test(group_page, a_prefix_chooses)
{
	add("chat", "a", "c1");
	add("chat", "b", "c1");
	add("chat", "ba", "c1");
	add("chat", "bb\xff", "c1");
	add("chat", "c", "c1");
	expect_names("chat", "b", NULL, "b ba bb\xff ");
	expect_names("chat", "b", "b", "ba bb\xff ");
	expect_names("chat", "b", "a", "b ba bb\xff ");
	expect_names("chat", "b", "c", "");
	expect_names("chat", "bb\xff", NULL, "bb\xff ");
	cr_expect_eq(count("chat", "b"), 3);
	cr_expect_eq(count("chat", "bb\xff"), 1);
	cr_expect_eq(count("chat", "d"), 0);
}

Test(group_page, a_page_begins_behind_a_group_that_has_gone_too)
{
	add("chat", "a", "c1");
	add("chat", "c", "c1");
	expect_names("chat", "", "b", "c ");
	expect_names("chat", "", "a", "c ");
	expect_names("chat", "", "c", "");
}

Test(group_page, the_group_without_a_name_is_told_once)
{
	add("chat", "", "c1");
	add("chat", "a", "c1");
	cr_expect_str_eq(names(query_of("chat", "", NULL), 1), " ");
	expect_names("chat", "", "", "a ");
	cr_expect_eq(count("chat", ""), 2);
}

Test(group_page, a_group_is_in_the_list_while_it_has_members)
{
	add("chat", "a", "c1");
	add("chat", "a", "c2");
	drop("chat", "a", "c1");
	expect_names("chat", "", NULL, "a ");
	drop("chat", "a", "c2");
	expect_names("chat", "", NULL, "");
}

Test(group_page, a_lost_gateway_takes_its_groups_off_the_list)
{
	add("chat", "a", "c1");
	add_at("chat", GROUP_KIND_LISTED, SLICE("b"), SLICE("c1"), 1);
	group_remove_gateway(&table, &gateways[0]);
	expect_names("chat", "", NULL, "b ");
}

/* Every second group comes and goes while the others are paged through. */
Test(group_page, whatever_stays_is_in_exactly_one_page)
{
	static int told[GROUPS_N];
	struct group_query query = query_of("chat", "g", NULL);
	const struct group *group = NULL;
	unsigned stays_n = 0;

	for (unsigned i = 0; i < GROUPS_N; i++)
		add("chat", numbered("g", i), "c1");
	do {
		const unsigned limit = 1 + below(PAGE_MAX);
		struct group_page page;

		group_page_init(&page, &table, &query);
		for (unsigned i = 0;
		     i < limit && (group = group_page_next(&page)) != NULL; i++) {
			const struct slice name = group_key_of(group).name;

			query.after = arena_dup(&arena, name);
			told[strtoul(query.after.ptr + 1, NULL, 10)]++;
		}
		group_page_fini(&page);
		for (int i = 0; i < 5; i++) {
			const char *name = numbered("g", below(GROUPS_N / 2) * 2);

			if (below(2) == 0)
				add("chat", name, "c1");
			else
				drop("chat", name, "c1");
		}
	} while (group != NULL);
	for (unsigned i = 0; i < GROUPS_N; i++) {
		cr_assert_leq(told[i], 1, "%u", i);
		stays_n += i % 2 == 1 && told[i] == 1;
	}
	cr_expect_eq(stays_n, GROUPS_N / 2);
}

/* ---- members */

static const struct group *find(const char *name)
{
	const struct group_key key = { SLICE("chat"), GROUP_KIND_LISTED,
				       slice_from_str(name) };

	return group_find(&table, &key);
}

/* The id behind `after`; NULL: none. */
static const char *behind(const char *group, const char *after)
{
	const struct member *member;
	struct member_page page;

	member_page_init(&page, find(group), slice_from_str(after));
	member = member_page_next(&page);
	member_page_fini(&page);
	return member != NULL ? arena_dup(&arena, group_member_who(member).connection).ptr
			      : NULL;
}

Test(group_page, members_are_listed_by_id)
{
	add("chat", "g", "c2");
	add("chat", "g", "c1");
	add("chat", "g", "c3");
	cr_expect_str_eq(behind("g", NULL), "c1");
	cr_expect_str_eq(behind("g", "c1"), "c2");
	cr_expect_str_eq(behind("g", "c11"), "c2");
	cr_expect_null(behind("g", "c3"));
}

Test(group_page, a_connection_at_two_gateways_is_told_once)
{
	for (unsigned i = 0; i < LARGE; i++) {
		const struct slice id = slice_from_str(numbered("c", i));

		add_at("chat", GROUP_KIND_LISTED, SLICE("large"), id, 0);
		add_at("chat", GROUP_KIND_LISTED, SLICE("large"), id, 1);
		if (i < 2)
			add_at("chat", GROUP_KIND_LISTED, SLICE("small"), id, 0);
		if (i < 2)
			add_at("chat", GROUP_KIND_LISTED, SLICE("small"), id, 1);
	}
	cr_assert_not_null(find("large")->order);
	cr_expect_str_eq(behind("large", NULL), "c00000");
	cr_expect_str_eq(behind("large", "c00000"), "c00001");
	cr_expect_str_eq(behind("large", "c00001"), "c00002");
	cr_expect_null(find("small")->order);
	cr_expect_str_eq(behind("small", "c00000"), "c00001");
	cr_expect_null(behind("small", "c00001"));
}

Test(group_page, many_members_have_an_order_until_they_are_few_again)
{
	unsigned i = 0;

	while (i < GROUP_ORDERED_MIN - 1)
		add("chat", "g", numbered("c", i++));
	cr_expect_null(find("g")->order);
	add("chat", "g", numbered("c", i));
	cr_expect_not_null(find("g")->order);
	for (i = 0; i < GROUP_ORDERED_MIN / 2 - 1; i++)
		drop("chat", "g", numbered("c", i));
	cr_expect_not_null(find("g")->order);
	cr_expect_str_eq(behind("g", NULL), numbered("c", i));
	drop("chat", "g", numbered("c", i++));
	drop("chat", "g", numbered("c", i++));
	cr_expect_null(find("g")->order);
	cr_expect_str_eq(behind("g", NULL), numbered("c", i));
}

Test(group_page, users_have_no_order)
{
	struct group_key key = { SLICE("chat"), KIND_USER, SLICE("ann") };

	for (unsigned i = 0; i < LARGE; i++)
		add_at("chat", KIND_USER, key.name, slice_from_str(numbered("c", i)), 0);
	cr_expect_null(group_find(&table, &key)->order);
	cr_expect_eq(table.listed.chunks_n, 0);
}

/* Members come and go at random, but those whose number is odd. */
static void churn(const char *group, unsigned members_n)
{
	for (int i = 0; i < 5; i++) {
		const char *id = numbered("c", below(members_n / 2) * 2);

		if (below(2) == 0)
			add("chat", group, id);
		else
			drop("chat", group, id);
	}
}

static void page_through(const char *group, unsigned members_n)
{
	int *told = arena_zalloc(&arena, members_n * sizeof(*told));
	struct slice after = SLICE_NONE;
	const struct member *member = NULL;

	for (unsigned i = 0; i < members_n; i++)
		add("chat", group, numbered("c", (i * 7919) % members_n));
	do {
		const unsigned limit = 1 + below(PAGE_MAX);
		struct member_page page;

		member_page_init(&page, find(group), after);
		for (unsigned i = 0;
		     i < limit && (member = member_page_next(&page)) != NULL; i++) {
			after = arena_dup(&arena, group_member_who(member).connection);
			told[strtoul(after.ptr + 1, NULL, 10)]++;
		}
		member_page_fini(&page);
		churn(group, members_n);
	} while (member != NULL);
	for (unsigned i = 0; i < members_n; i++) {
		if (i % 2 == 1)
			cr_assert_eq(told[i], 1, "%u", i);
		cr_assert_leq(told[i], 1, "%u", i);
	}
}

Test(group_page, who_stays_in_a_large_group_is_in_exactly_one_page)
{
	page_through("g", LARGE);
}

Test(group_page, who_stays_in_a_small_group_is_too)
{
	page_through("g", SMALL);
}
