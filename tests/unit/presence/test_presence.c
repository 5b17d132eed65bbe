/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole presence process against links of the test's own, which say what gateways and
 * routers say: who is online, who is told of whom, and how processes are lost.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/presence/presence_kit.h"

#define DEADLINE_MS 10000

TestSuite(presence, .init = presence_setup, .fini = presence_teardown);

/* ---- who is online */

Test(presence, what_gateways_tell_is_answered)
{
	start_presence("300ms");
	until_answer("/api/v1/stats", "\"isSettled\":true");
	struct actor *g1 = gateway_new("g1", 1);
	struct actor *g2 = gateway_new("g2", 2);

	say_opened(g1, "c1", "ann");
	say_opened(g2, "c2", "ann");
	say_opened(g2, "c3", "");
	until_users("\"users\":1,\"connections\":3,\"gateways\":2");
	cr_expect(answer_has("/api/v1/users/ann", "\"gateway\":\"g2\""));
	say_closed(g1, "c1");
	until_users("\"users\":1,\"connections\":2");
	say_closed(g2, "c2");
	until_users("\"users\":0,\"connections\":1");
	say_closed(g2, "c9");
	until_answer("/metrics", "\npresence_closed_unknown_total 1\n");
	cr_expect(answer_has("/metrics", "\npresence_online_total 1\n"));
	cr_expect(answer_has("/metrics", "\npresence_offline_total 1\n"));
	cr_expect(answer_has("/readyz", " 200 "));
	actor_free(g1);
	actor_free(g2);
}

Test(presence, a_connection_without_an_id_is_refused_and_counted)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "", "ann");
	until_answer("/metrics", "\npresence_opened_refused_total 1\n");
	actor_free(g1);
}

Test(presence, a_replay_is_counted)
{
	Link__Replayed replayed = LINK__REPLAYED__INIT;

	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	cr_assert_eq(link_send_replayed(g1->presence, &replayed, NULL), OK);
	until_answer("/metrics", "\npresence_replayed_total 1\n");
	actor_free(g1);
}

Test(presence, a_router_has_no_say_in_who_is_online)
{
	start_presence("10s");
	struct actor *r1 = actor_new(LINK__ROLE__ROLE_ROUTER, "r1", 1);

	say_opened(r1, "c1", "ann");
	say_lease(r1, 5000);
	until_answer("/api/v1/processes", "\"role\":\"router\",\"name\":\"r1\","
					  "\"incarnation\":\"0000000000000001\","
					  "\"connections\":17,\"leaseMs\":5000");
	cr_expect(answer_has("/metrics", "\npresence_envelope_unknown_total 1\n"));
	cr_expect(answer_has("/api/v1/stats", "\"users\":0,\"connections\":0"));
	actor_free(r1);
}

/* ---- who lives */

Test(presence, everyone_is_told_who_lives)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	until_peers(g1, "g1:1 ");
	cr_expect_not(g1->is_settled);
	struct actor *r1 = actor_new(LINK__ROLE__ROLE_ROUTER, "r1", 1);

	until_peers(r1, "g1:1 r1:2 ");
	until_peers(g1, "g1:1 r1:2 ");
	actor_free(g1);
	actor_free(r1);
}

Test(presence, after_a_lease_it_is_settled)
{
	start_presence("300ms");
	struct actor *g1 = gateway_new("g1", 1);

	say_lease(g1, LONG_MS);
	until_int(&g1->topologies_n, 2);
	cr_expect(g1->is_settled);
	cr_expect(answer_has("/api/v1/stats", "\"isSettled\":true"));
	actor_free(g1);
}

Test(presence, the_sessions_of_a_gateway_go_with_its_lease)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);
	struct actor *g2 = gateway_new("g2", 2);

	say_opened(g1, "c1", "ann");
	say_opened(g2, "c2", "ben");
	say_lease(g1, 300);
	until_users("\"users\":2");
	actor_free(g1);
	until_users("\"users\":1,\"connections\":1,\"gateways\":1");
	cr_expect(answer_has("/api/v1/users", "\"userId\":\"ben\""));
	until_peers(g2, "g2:1 ");
	actor_free(g2);
}

Test(presence, a_link_that_breaks_within_the_lease_changes_nothing)
{
	const char *downs = "\npresence_link_downs_total 1\n";

	start_presence_with("10s", "--link_stream_timeout=2s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	/* Without turns it sends no heartbeat. */
	for (int64_t end_ms = now_ms() + DEADLINE_MS; !answer_has("/metrics", downs);)
		cr_assert(now_ms() < end_ms, "the link was kept");
	say_opened(g1, "c2", "ben");
	until_users("\"users\":2,\"connections\":2,\"gateways\":1");
	cr_expect(answer_has("/metrics", "\npresence_process_lost_total 0\n"));
	cr_expect_eq(g1->losts_n, 0);
	cr_expect_eq(g1->news_n, 1);
	actor_free(g1);
}

Test(presence, who_was_given_up_but_lives_tells_everything_again)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	say_lease(g1, 150); /* and no more, though the link is kept */
	until_int(&g1->news_n, 2);
	cr_expect_eq(g1->losts_n, 1);
	say_lease(g1, LONG_MS);
	until_users("\"users\":0,\"connections\":0,\"gateways\":1");
	say_opened(g1, "c1", "ann");
	until_users("\"users\":1,\"connections\":1,\"gateways\":1");
	cr_expect(answer_has("/metrics", "\npresence_lease_expired_total 1\n"));
	actor_free(g1);
}

Test(presence, a_new_life_of_a_gateway_ends_the_old_ones_sessions)
{
	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	until_users("\"users\":1");
	actor_free(g1);
	g1 = gateway_new("g1", 9);
	until_users("\"users\":0,\"connections\":0,\"gateways\":1");
	cr_expect(answer_has("/api/v1/processes", "\"0000000000000009\""));
	cr_expect(answer_has("/metrics", "\npresence_lease_expired_total 0\n"));
	actor_free(g1);
}

Test(presence, when_it_stood_still_itself_nobody_is_given_up)
{
	const struct timespec stall = { .tv_sec = 2, .tv_nsec = 500000000 };

	start_presence("10s");
	struct actor *g1 = gateway_new("g1", 1);

	say_opened(g1, "c1", "ann");
	say_lease(g1, 900);
	until_answer("/api/v1/processes", "\"leaseMs\":900");
	kill(child.pid, SIGSTOP);
	(void)nanosleep(&stall, NULL); /* the fault itself */
	kill(child.pid, SIGCONT);
	until_answer("/metrics", "\npresence_stalled_total 1\n");
	say_lease(g1, LONG_MS);
	until_answer("/api/v1/processes", "\"leaseMs\":60000");
	cr_expect(answer_has("/api/v1/stats", "\"users\":1"));
	cr_expect_eq(g1->losts_n, 0);
	actor_free(g1);
}

Test(presence, beyond_loopback_it_needs_a_token)
{
	char key_flag[64];
	struct child refused;

	(void)snprintf(key_flag, sizeof(key_flag), "--link_key_file=%s",
		       presence_key_path());
	child_start(&refused, &presence_proc_ops, "--link_listen=tcp://127.0.0.1:0",
		    "--admin_listen=0.0.0.0:0", key_flag, NULL);
	cr_expect_eq(child_wait(&refused), 1);
	cr_expect_not_null(strstr(refused.err_text, "admin_token_file"));
}
