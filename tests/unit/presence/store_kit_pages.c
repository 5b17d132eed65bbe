/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: what is listed page by page.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/base/mem.h"
#include "tests/unit/presence/store_ask.h"

void store_kit_users_are_listed_in_pages_by_id(void)
{
	cr_expect_eq(list("", "", 2)->users_n, 0);
	cr_expect_str_empty(asked.next);
	(void)add(g1, "c1", "dan");
	(void)add(g1, "c2", "ann");
	(void)add(g1, "c3", "cid");
	(void)add(g1, "c4", "ben");
	(void)list("", "", 3);
	cr_expect_str_eq(asked.users, "ann ben cid ");
	cr_expect_str_not_empty(asked.next);
	(void)list("", asked.next, 3);
	cr_expect_str_eq(asked.users, "dan ");
	cr_expect_str_empty(asked.next);
	/* A page that is just full is the last when nobody is left. */
	(void)list("", "", 4);
	cr_expect_str_empty(asked.next);
	cr_expect_eq(asked.answer.users_n, 4);
}

void store_kit_users_are_found_by_prefix(void)
{
	static const char *const ids[] = { "a",	 "an", "ann", "anna",	"annx",
					   "ao", "b",  "Ann", "an\xff", "an\xff\xff" };
	char id[8];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		(void)snprintf(id, sizeof(id), "c%zu", i);
		(void)add(g1, id, ids[i]);
	}
	(void)list("ann", "", ROOM);
	cr_expect_str_eq(asked.users, "ann anna annx ");
	cr_expect_str_empty(asked.next);
	(void)list("an", "", 2);
	cr_expect_str_eq(asked.users, "an ann ");
	(void)list("an", asked.next, 2);
	cr_expect_str_eq(asked.users, "anna annx ");
	(void)list("an", asked.next, 2);
	cr_expect_str_eq(asked.users, "an\xff an\xff\xff ");
	cr_expect_str_empty(asked.next);
	(void)list("an\xff", "", ROOM);
	cr_expect_str_eq(asked.users, "an\xff an\xff\xff ");
	(void)list("annb", "", ROOM);
	cr_expect_str_eq(asked.users, "");
	(void)list("z", "", ROOM);
	cr_expect_str_eq(asked.users, "");
}

void store_kit_pages_hold_everyone_who_stays_once(void)
{
	char cursor[sizeof(asked.next)];
	char name[16];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "u%03d", i);
		(void)add(g1, name, name);
	}
	(void)list("u", "", 100); /* u000 .. u099 */
	memcpy(cursor, asked.next, sizeof(cursor));
	/* Those before, at and behind the cursor go; some come back. */
	for (int i = 0; i < 299; i++) {
		(void)snprintf(name, sizeof(name), "u%03d", i);
		if (i != 150)
			(void)take(g1, "chat", name);
	}
	(void)add(g1, "new1", "u007");
	(void)add(g1, "new2", "u100");
	(void)list("u", cursor, 2);
	cr_expect_str_eq(asked.users, "u100 u150 ");
	(void)list("u", asked.next, 2);
	cr_expect_str_eq(asked.users, "u299 ");
	cr_expect_str_empty(asked.next);
}

void store_kit_connections_of_a_user_come_in_pages(void)
{
	char seen[sizeof(asked.sessions)] = "";
	char name[8];
	int pages = 0;

	for (int i = 10; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		(void)add(i % 2 == 0 ? g1 : g2, name, "ann");
	}
	do {
		cr_assert_eq(find_user(SLICE("ann"), asked.next, 6)->rc, OK);
		cr_expect_eq(asked.answer.users_n, 1);
		cr_expect_eq(asked.user.connections_n, 20);
		cr_expect_leq(asked.answer.sessions_n, 6);
		(void)strcat(seen, asked.sessions);
		cr_assert_lt(pages++, 10);
	} while (asked.next[0] != '\0');
	cr_expect_eq(strlen(seen), 20 * strlen("c10 "), "%s", seen);
	for (int i = 10; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "c%d ", i);
		cr_expect_not_null(strstr(seen, name), "%s in %s", name, seen);
	}
	(void)find_user(SLICE("ann"), "", 20);
	cr_expect_eq(asked.answer.sessions_n, 20);
	cr_expect_str_empty(asked.next);
}

void store_kit_a_cursor_of_others_is_refused(void)
{
	char cursor[sizeof(asked.next)];

	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ann");
	(void)add(g1, "c3", "ben");
	cr_expect_eq(list("", "x", 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(list("", "-1", 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(list("", "99999999999999999999", 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(find_user(SLICE("ann"), "x", 1)->rc, ERR_ARGUMENT);
	/* Of another question. */
	(void)list("", "", 1);
	memcpy(cursor, asked.next, sizeof(cursor));
	cr_expect_eq(list("b", cursor, 1)->rc, ERR_ARGUMENT);
	cr_expect_eq(find_user(SLICE("ann"), cursor, 1)->rc, ERR_ARGUMENT);
	(void)find_user(SLICE("ann"), "", 1);
	cr_expect_eq(list("", asked.next, 1)->rc, ERR_ARGUMENT);
}

/* Over Redis each waits for its answer. */
#define CROWD 20000

void store_kit_many_thousands_come_and_go(void)
{
	uint64_t gateways[10];
	char name[16];
	char user[16];
	size_t listed = 0;
	size_t gone = 0;

	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "gateway%u", i);
		gateways[i] = gateway_new(name, 1, LONG_MS);
	}
	for (unsigned i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		(void)snprintf(user, sizeof(user), "u%u", i / 2);
		cr_assert_eq(add(gateways[i % 10], name, user)->users_online,
			     i % 2 == 0 ? 1u : 0u);
	}
	expect_counts(CROWD / 2, CROWD);
	do {
		listed += list("", asked.next, ROOM)->users_n;
	} while (asked.next[0] != '\0');
	cr_expect_eq(listed, CROWD / 2);
	for (unsigned i = 0; i < 10; i++)
		cr_expect_eq(gateway_retire(gateways[i]), OK);
	do {
		gone += sweep(ROOM)->users_offline;
	} while (asked.answer.is_more);
	cr_expect_eq(gone, CROWD / 2);
	expect_counts(0, 0);
}
