/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routers that watch, against a whole presence process: they hear each change once, from
 * where they say, or where their earlier life had got to.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/presence_kit.h"

TestSuite(follower_link, .init = presence_setup, .fini = presence_teardown);

static struct actor *g1;

static void start(void)
{
	start_presence("300ms");
	until_answer("/api/v1/stats", "\"isSettled\":true");
	g1 = gateway_new("g1", 1);
}

static struct actor *router_new(uint64_t incarnation)
{
	struct actor *router = actor_new(LINK__ROLE__ROLE_ROUTER, "r1", incarnation);

	say_lease(router, LONG_MS);
	return router;
}

/* It is watching: what happens from now on it hears. */
static struct actor *watcher_new(uint64_t incarnation, const char *after)
{
	struct actor *router = router_new(incarnation);

	say_watch(router, after);
	until_answer("/metrics", "\npresence_watchers 1\n");
	return router;
}

Test(follower_link, a_router_that_watches_hears_of_users)
{
	start();
	say_opened(g1, "c0", "ann");
	until_users("\"users\":1");
	struct actor *r1 = watcher_new(1, "");

	say_opened(g1, "c1", "ben");
	say_opened(g1, "c2", "ben");
	say_opened(g1, "c3", "");
	say_closed(g1, "c0");
	say_closed(g1, "c1");
	until_changes(r1, "+ben -ann ");
	actor_free(r1);
	actor_free(g1);
}

Test(follower_link, its_next_life_hears_what_it_missed)
{
	start();
	struct actor *r1 = watcher_new(1, "");

	say_opened(g1, "c1", "ann");
	until_changes(r1, "+ann ");
	until_answer("/metrics", "\npresence_marks_total 1\n");
	actor_free(r1);
	say_opened(g1, "c2", "ben");
	say_closed(g1, "c1");
	until_users("\"users\":1,\"connections\":1");
	r1 = router_new(2);
	say_watch(r1, "");
	until_changes(r1, "+ben -ann ");
	cr_expect(answer_has("/metrics", "\npresence_watchers 1\n"));
	actor_free(r1);
	actor_free(g1);
}

Test(follower_link, it_may_say_where_it_was)
{
	char id[64];

	start();
	struct actor *r1 = watcher_new(1, "");

	say_opened(g1, "c1", "ann");
	until_changes(r1, "+ann ");
	memcpy(id, r1->change_id, sizeof(id));
	say_opened(g1, "c2", "ben");
	until_changes(r1, "+ann +ben ");
	r1->changes[0] = r1->change_id[0] = '\0';
	say_watch(r1, id); /* again, from there */
	until_changes(r1, "+ben ");
	cr_expect(answer_has("/metrics", "\npresence_watchers 1\n"));
	actor_free(r1);
	actor_free(g1);
}

Test(follower_link, one_that_comes_too_late_is_reset)
{
	start();
	struct actor *r1 = router_new(1);

	say_watch(r1, "00000000000000-00000001");
	until_changes(r1, "! ");
	say_opened(g1, "c1", "ann");
	until_changes(r1, "! +ann ");
	actor_free(r1);
	actor_free(g1);
}

Test(follower_link, one_that_found_another_home_hears_no_more)
{
	Link__Lease lease = LINK__LEASE__INIT;

	start();
	struct actor *r1 = watcher_new(1, "");

	lease.lease_ms = LONG_MS;
	cr_assert_eq(link_send_lease(r1->presence, &lease, NULL), OK);
	until_answer("/metrics", "\npresence_watchers 0\n");
	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	cr_expect_eq(r1->changes_n, 0);
	actor_free(r1);
	actor_free(g1);
}

/* More than may be on their way at once. */
Test(follower_link, a_thousand_at_once_come_all)
{
	char id[16];

	start();
	struct actor *r1 = watcher_new(1, "");

	for (int i = 0; i < 500; i++) {
		(void)snprintf(id, sizeof(id), "u%d", i);
		say_opened(g1, id, id);
		say_closed(g1, id);
	}
	until_int(&r1->changes_n, 1000);
	cr_expect_eq(strncmp(r1->changes, "+u0 -u0 +u1 -u1 ", 16), 0);
	cr_expect_eq(r1->losts_n, 0);
	actor_free(r1);
	actor_free(g1);
}
