/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store_kit.h: gateways are registered, told of again, and lost.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/store_ask.h"

void store_kit_a_retired_gateway_takes_its_own_connections_along(void)
{
	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ben");
	(void)add(g1, "c3", "");
	(void)add(g2, "c4", "ben");
	(void)add(g2, "c5", "cid");
	cr_expect_eq(gateway_retire(g1), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 3);
	cr_expect_eq(asked.answer.users_offline, 1);
	cr_expect_not(asked.answer.is_more);
	expect_counts(2, 2);
	(void)list("", "", ROOM);
	cr_expect_str_eq(asked.users, "ben cid ");
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_told("+ann +ben +cid -ann ");
}

void store_kit_a_sweep_removes_at_most_its_limit(void)
{
	char name[8];

	for (int i = 0; i < 25; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		(void)add(g1, name, name);
	}
	(void)add(g2, "stays", "stays");
	cr_expect_eq(gateway_retire(g1), OK);
	cr_expect_eq(sweep(10)->connections_n, 10);
	cr_expect_eq(asked.answer.users_offline, 10);
	cr_expect(asked.answer.is_more);
	expect_counts(16, 16);
	cr_expect_eq(sweep(10)->connections_n, 10);
	cr_expect(asked.answer.is_more);
	cr_expect_eq(sweep(10)->connections_n, 5);
	cr_expect_not(asked.answer.is_more);
	expect_counts(1, 1);
}

void store_kit_a_gateway_whose_lease_ran_out_is_retired(void)
{
	const uint64_t renewed = gateway_new("g3", 1, SHORT_MS);
	const uint64_t silent = gateway_new("g4", 1, SHORT_MS);

	cr_expect_eq(gateway_renew(renewed, LONG_MS), OK);
	(void)add(renewed, "c1", "ann");
	(void)add(silent, "c2", "ben");
	until_counts(1, 1);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(gateway_renew(renewed, LONG_MS), OK);
	cr_expect_eq(gateway_renew(silent, LONG_MS), ERR_NOT_FOUND);
	expect_told("+ann +ben -ben ");
}

/* While it tells all again, what it told before must not run out. */
void store_kit_renewing_one_renews_all_of_its_gateway(void)
{
	const uint64_t first = gateway_new("g3", 1, SHORT_MS);
	const uint64_t next = gateway_new("g3", 1, LONG_MS);
	uint64_t silent;

	cr_expect_eq(gateway_renew(next, LONG_MS), OK);
	silent = gateway_new("g4", 1, SHORT_MS);
	(void)add(first, "c1", "ann");
	(void)add(silent, "c2", "ben");
	until_counts(1, 1);
	cr_expect_eq(find_connection(SLICE("c1"))->rc, OK);
	cr_expect_eq(gateway_renew(first, LONG_MS), OK);
	expect_told("+ann +ben -ben ");
}

void store_kit_another_incarnation_retires_the_one_before(void)
{
	uint64_t next;

	(void)add(g1, "c1", "ann");
	(void)add(g2, "c2", "ben");
	next = gateway_new("g1", 9, LONG_MS);
	cr_expect_neq(next, g1);
	cr_expect_eq(gateway_renew(g1, LONG_MS), ERR_NOT_FOUND);
	cr_expect_eq(gateway_renew(g2, LONG_MS), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 1);
	expect_counts(1, 1);
	cr_expect_eq(gateway_renew(next, LONG_MS), OK);
}

/* It tells everything again while what it told before still holds. */
void store_kit_who_is_told_again_stays_without_an_event(void)
{
	uint64_t next;

	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ben");
	next = gateway_new("g1", 1, LONG_MS);
	cr_expect_eq(gateway_renew(g1, LONG_MS), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	cr_expect_eq(add_told(next, "c1", "ann")->rc, OK);
	cr_expect_eq(add_told(next, "c2", "ben")->rc, OK);
	cr_expect_eq(asked.answer.users_online, 0);
	cr_expect_eq(take(g1, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(gateway_replayed(next), OK);
	cr_expect_eq(gateway_renew(g1, LONG_MS), ERR_NOT_FOUND);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_counts(2, 2);
	cr_expect_eq(take(next, "chat", "c2")->users_offline, 1);
	expect_told("+ann +ben -ben ");
}

void store_kit_what_a_replay_does_not_tell_is_gone(void)
{
	uint64_t next;

	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ann");
	(void)add(g1, "c3", "ben");
	next = gateway_new("g1", 1, LONG_MS);
	(void)add_told(next, "c1", "ann");
	expect_counts(2, 3);
	cr_expect_eq(gateway_replayed(next), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 2);
	cr_expect_eq(asked.answer.users_offline, 1);
	expect_counts(1, 1);
	expect_told("+ann +ben -ben ");
}

void store_kit_a_retired_registration_is_not_found(void)
{
	(void)add(g1, "c1", "ann");
	cr_expect_eq(gateway_retire(g1), OK);
	cr_expect_eq(gateway_retire(g1), ERR_NOT_FOUND);
	cr_expect_eq(gateway_renew(g1, LONG_MS), ERR_NOT_FOUND);
	cr_expect_eq(gateway_replayed(g1), ERR_NOT_FOUND);
	cr_expect_eq(add(g1, "c2", "ben")->rc, ERR_NOT_FOUND);
	cr_expect_eq(take(g1, "chat", "c1")->rc, ERR_NOT_FOUND);
	cr_expect_eq(gateway_renew(g1 + 1000, LONG_MS), ERR_NOT_FOUND);
	cr_expect_eq(gateway_renew(0, LONG_MS), ERR_NOT_FOUND);
	expect_counts(1, 1); /* until it is swept */
}

/* Its old home gives it up while it tells everything to another. */
void store_kit_who_began_anew_keeps_what_it_told_before(void)
{
	uint64_t next;

	(void)add(g1, "c1", "ann");
	(void)add(g1, "c2", "ben");
	next = gateway_new("g1", 1, LONG_MS);
	cr_expect_eq(gateway_retire(g1), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_counts(2, 2);
	cr_expect_eq(add_told(next, "c1", "ann")->rc, OK);
	cr_expect_eq(gateway_replayed(next), OK);
	cr_expect_eq(gateway_renew(g1, LONG_MS), ERR_NOT_FOUND);
	cr_expect_eq(sweep(ROOM)->connections_n, 1);
	expect_counts(1, 1);
	cr_expect_eq(gateway_retire(next), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 1);
	expect_told("+ann +ben -ben -ann ");
}

void store_kit_a_connection_of_a_retired_gateway_may_be_told_by_another(void)
{
	(void)add(g2, "c1", "ann");
	cr_expect_eq(gateway_retire(g2), OK);
	cr_expect_eq(add(g1, "c1", "ann")->rc, OK);
	cr_expect_eq(asked.answer.users_online, 0);
	cr_expect_eq(sweep(ROOM)->connections_n, 0);
	expect_counts(1, 1);
	expect_told("+ann ");
}

void store_kit_a_user_elsewhere_survives_a_lost_gateway_without_an_event(void)
{
	char name[8];

	for (int i = 10; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		(void)add(g2, name, i % 2 == 0 ? "ann" : "ben");
	}
	(void)add(g1, "c1", "ann");
	cr_expect_eq(gateway_retire(g2), OK);
	cr_expect_eq(sweep(ROOM)->connections_n, 20);
	expect_counts(1, 1);
	cr_expect_eq(find_user(SLICE("ann"), "", ROOM)->sessions_n, 1);
	cr_expect_eq(asked.user.connections_n, 1);
	expect_told("+ann +ben -ben ");
}
