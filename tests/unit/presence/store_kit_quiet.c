/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: those who come back soon, and a store that has forgotten who was
 * here.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/store_ask.h"

/* ---- grace */

static void use_grace(int64_t grace_ms)
{
	const struct store_kit_options options = { .sessions_max = MANY,
						   .offline_grace_ms = grace_ms,
						   .events_max = ROOM };

	use_store(&options);
	(void)settle();
}

void store_kit_a_user_may_come_back_within_the_grace(void)
{
	use_grace(LONG_MS);
	(void)add(g1, "c1", "ann");
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 0);
	cr_expect_eq(sweep(ROOM)->users_offline, 0);
	expect_counts(1, 0);
	cr_expect_eq(find_user(SLICE("ann"), "", ROOM)->rc, OK);
	cr_expect_eq(asked.user.connections_n, 0);
	(void)list("", "", ROOM);
	cr_expect_str_eq(asked.users, "ann ");
	cr_expect_eq(add(g2, "c2", "ann")->users_online, 0);
	expect_counts(1, 1);
	expect_told("+ann ");
}

void store_kit_a_user_goes_after_the_grace(void)
{
	use_grace(SHORT_MS);
	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ben");
	(void)take(g1, "chat", "c1");
	until_counts(1, 1);
	cr_expect_eq(add(g1, "c3", "ann")->users_online, 1);
	expect_told("+ann +ben -ann +ann ");
}

void store_kit_a_lost_gateways_users_have_no_grace(void)
{
	use_grace(LONG_MS);
	(void)add(g2, "c1", "ann");
	(void)add(g2, "c2", "ben");
	(void)take(g2, "chat", "c2"); /* in order: his grace runs on */
	cr_expect_eq(gateway_retire(g2), OK);
	cr_expect_eq(sweep(ROOM)->users_offline, 1);
	expect_counts(1, 0);
	expect_told("+ann +ben -ann ");
}

/* ---- quiet */

static void use_quiet(void)
{
	const struct store_kit_options options = { .sessions_max = MANY,
						   .events_max = ROOM };

	use_store(&options);
}

void store_kit_an_empty_store_is_quiet_about_those_told_before(void)
{
	use_quiet();
	cr_expect_eq(add_told(g1, "c1", "ann")->users_online, 0);
	cr_expect_eq(add_told(g2, "c2", "ann")->users_online, 0);
	cr_expect_eq(add(g2, "c3", "ann")->users_online, 0);
	expect_counts(1, 3);
	cr_expect_eq(settle(), 0);
	cr_expect_eq(add_told(g1, "c4", "ben")->users_online, 1);
	(void)take(g1, "chat", "c1");
	(void)take(g2, "chat", "c2");
	cr_expect_eq(take(g2, "chat", "c3")->users_offline, 1);
	expect_told("+ben -ann ");
}

void store_kit_newcomers_wait_for_the_end_of_the_quiet(void)
{
	char name[16];

	use_quiet();
	(void)add_told(g1, "c1", "ann");
	cr_expect_eq(add(g1, "c2", "ben")->users_online, 0);
	expect_counts(2, 2);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		(void)add(g1, name, name);
	}
	cr_expect_eq(settle(), 1001);
	expect_counts(1002, 1002);
	cr_expect_eq(add(g1, "c3", "ben")->users_online, 0);
	while (told_n < 1002)
		kit->turn();
	cr_expect_eq(strncmp(told, "! +", 3), 0);
	cr_expect_not_null(strstr(told, "+ben "));
	cr_expect_null(strstr(told, "ann"));
}

void store_kit_a_newcomer_who_was_told_elsewhere_is_none(void)
{
	use_quiet();
	(void)add(g1, "c1", "ann");
	(void)add_told(g2, "c2", "ann");
	cr_expect_eq(settle(), 0);
	expect_told("");
}

void store_kit_a_newcomer_who_leaves_in_the_quiet_was_never_here(void)
{
	use_quiet();
	(void)add(g1, "c1", "ann");
	cr_expect_eq(take(g1, "chat", "c1")->users_offline, 0);
	expect_counts(0, 0);
	cr_expect_eq(settle(), 0);
	expect_told("");
}

/* Her other connection may not have been told yet. */
void store_kit_in_the_quiet_nobody_goes_who_was_here(void)
{
	use_quiet();
	(void)add_told(g1, "c1", "ann");
	(void)add_told(g1, "c2", "ben");
	(void)add_told(g2, "c3", "cid");
	(void)take(g1, "chat", "c1");
	(void)take(g1, "chat", "c2");
	cr_expect_eq(gateway_retire(g2), OK);
	(void)sweep(ROOM);
	cr_expect_eq(asked.answer.users_offline, 0);
	(void)add_told(g1, "c4", "ann");
	cr_expect_eq(settle(), 0);
	until_counts(1, 1);
	(void)find_user(SLICE("ann"), "", ROOM);
	cr_expect_str_eq(asked.sessions, "c4 ");
	(void)find_events("", ROOM);
	while (told_n < 3)
		kit->turn();
	cr_expect_eq(strncmp(told, "! -", 3), 0);
	cr_expect_not_null(strstr(told, "-ben "));
	cr_expect_not_null(strstr(told, "-cid "));
	cr_expect_null(strstr(told, "ann"));
}

void store_kit_settling_twice_changes_nothing(void)
{
	(void)add(g1, "c1", "ann");
	cr_expect_eq(settle(), 0);
	expect_told("+ann ");
}
