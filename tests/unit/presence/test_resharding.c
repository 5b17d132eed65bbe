/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole presence process that leads a cluster of this test's own links from some
 * routers to others.
 */
#include "presence/resharding.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/presence/presence_kit.h"

#define ONE "r1=tcp://a:1"
#define TWO "r1=tcp://a:1,r2=tcp://a:2"
#define LEASE "500ms"

static struct actor *g1;
static struct actor *r1;
static struct actor *r2;

TestSuite(resharding, .init = presence_setup, .fini = presence_teardown, .timeout = 120);

static struct actor *router_new(const char *name, uint64_t incarnation)
{
	struct actor *actor = actor_new(LINK__ROLE__ROLE_ROUTER, name, incarnation);

	say_lease(actor, LONG_MS);
	return actor;
}

static void begin(const char *extra)
{
	start_presence_with(LEASE, extra);
	g1 = gateway_new("g1", 1);
	r1 = router_new("r1", 2);
	r2 = router_new("r2", 3);
}

static void end(void)
{
	actor_free(g1);
	actor_free(r1);
	actor_free(r2);
}

static void all_say(uint64_t epoch, enum shard_phase phase, const char *routers,
		    const char *next)
{
	say_shards(g1, epoch, phase, routers, next, true);
	say_shards(r1, epoch, phase, routers, next, true);
	say_shards(r2, epoch, phase, routers, next, true);
}

static void until_all(const char *shards)
{
	until_shards(g1, shards);
	until_shards(r1, shards);
	until_shards(r2, shards);
}

/* Until presence has taken what was said before. */
static void until_heard(const char *text)
{
	until_answer("/api/v1/cluster/routers", text);
}

static void agree(void)
{
	all_say(0, SHARD_PHASE_STABLE, ONE, "");
	until_all("1 stable " ONE);
}

Test(resharding, at_the_start_all_agree_on_a_map)
{
	begin(NULL);
	say_shards(g1, 0, SHARD_PHASE_STABLE, ONE, "", false);
	say_shards(r1, 0, SHARD_PHASE_STABLE, TWO, "", false);
	say_shards(r2, 0, SHARD_PHASE_STABLE, ONE, "", false);
	until_all("1 stable " ONE);
	cr_expect(answer_has("/api/v1/cluster/routers", "\"isLeader\":true"));
	cr_expect(answer_has("/api/v1/cluster/routers", "\"leader\":\"p1\""));
	cr_expect(answer_has("/api/v1/cluster", "\"shardMap\":{\"epoch\":1"));
	cr_expect(answer_has("/metrics", "\npresence_shards_epoch 1\n"));
	cr_expect(answer_has("/metrics", "\npresence_shards_phase 3\n"));
	cr_expect(answer_has("/metrics", "\npresence_shards_leader 1\n"));
	cr_expect(answer_has("/metrics", "\npresence_shards_steps_total 1\n"));
	end();
}

Test(resharding, no_map_is_made_before_all_have_told)
{
	begin(NULL);
	until_heard("\"isSettled\":true");
	say_shards(g1, 0, SHARD_PHASE_STABLE, ONE, "", true);
	say_shards(r1, 0, SHARD_PHASE_STABLE, ONE, "", true);
	until_heard("\"waitingFor\":[{\"role\":\"router\",\"name\":\"r2\","
		    "\"why\":\"untold\"}]");
	cr_expect(answer_has("/api/v1/cluster/routers", "\"epoch\":0"));
	cr_expect(answer_has("/api/v1/cluster/routers", "\"state\":\"untold\""));
	say_shards(r2, 0, SHARD_PHASE_STABLE, ONE, "", true);
	until_all("1 stable " ONE);
	end();
}

Test(resharding, goes_through_the_phases_when_all_are_done)
{
	begin("--routers=" TWO);
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_all("2 prepare " ONE " -> " TWO);
	say_shards(g1, 2, SHARD_PHASE_PREPARE, ONE, TWO, false);
	say_shards(r1, 2, SHARD_PHASE_PREPARE, ONE, TWO, true);
	say_shards(r2, 2, SHARD_PHASE_PREPARE, ONE, TWO, true);
	until_heard("\"waitingFor\":[{\"role\":\"gateway\",\"name\":\"g1\","
		    "\"why\":\"doing\"}]");
	cr_expect_str_eq(r1->shards, "2 prepare " ONE " -> " TWO);
	say_shards(g1, 2, SHARD_PHASE_PREPARE, ONE, TWO, true);
	until_all("2 commit " ONE " -> " TWO);
	all_say(2, SHARD_PHASE_COMMIT, ONE, TWO);
	until_all("2 stable " TWO);
	all_say(2, SHARD_PHASE_STABLE, TWO, "");
	until_heard("\"state\":\"rest\"");
	cr_expect(answer_has("/api/v1/cluster/routers", "\"targetFrom\":\"option\""));
	cr_expect(answer_has("/api/v1/cluster/routers", "\"list\":\"" TWO "\""));
	end();
}

/* Nobody has a map to put them in yet. */
Test(resharding, routers_that_are_asked_for_early_are_not_forgotten)
{
	begin(NULL);
	cr_assert(takes_routers(TWO));
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_all("2 prepare " ONE " -> " TWO);
	end();
}

Test(resharding, whoever_comes_is_told_the_map)
{
	struct actor *g2;

	begin(NULL);
	agree();
	g2 = gateway_new("g2", 9);
	until_shards(g2, "1 stable " ONE);
	cr_expect_eq(g2->shards_n, 1);
	actor_free(g2);
	end();
}

Test(resharding, a_presence_that_starts_goes_on_where_the_cluster_is)
{
	begin(NULL);
	say_shards(r1, 4, SHARD_PHASE_COMMIT, ONE, TWO, true);
	until_all("4 commit " ONE " -> " TWO);
	all_say(4, SHARD_PHASE_COMMIT, ONE, TWO);
	until_all("4 stable " TWO);
	end();
}

Test(resharding, a_process_that_is_gone_is_not_waited_for)
{
	begin("--routers=" TWO);
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_all("2 prepare " ONE " -> " TWO);
	say_shards(r1, 2, SHARD_PHASE_PREPARE, ONE, TWO, true);
	say_shards(r2, 2, SHARD_PHASE_PREPARE, ONE, TWO, true);
	say_lease(g1, 100);
	until_shards(r1, "2 commit " ONE " -> " TWO);
	until_shards(r2, "2 commit " ONE " -> " TWO);
	end();
}

Test(resharding, a_router_that_is_not_there_is_waited_for)
{
	begin("--routers=r1=tcp://a:1,r3=tcp://a:3");
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_heard("\"state\":\"absent\"");
	cr_expect(answer_has("/api/v1/cluster/routers",
			     "{\"role\":\"router\",\"name\":\"r3\",\"why\":\"absent\"}"));
	cr_expect_str_eq(g1->shards, "1 stable " ONE);
	end();
}

Test(resharding, another_address_of_a_router_is_refused)
{
	begin("--routers=r1=tcp://elsewhere:1");
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_heard("\"state\":\"refused\"");
	cr_expect_str_eq(g1->shards, "1 stable " ONE);
	end();
}

Test(resharding, what_takes_too_long_is_given_up_and_begun_again)
{
	/* There is one thread. */
	setenv("HELIOGRAPH_RESHARD_TIMEOUT", "1s", 1); /* NOLINT(concurrency-mt-unsafe) */
	begin("--routers=" TWO);
	agree();
	all_say(1, SHARD_PHASE_STABLE, ONE, "");
	until_all("2 prepare " ONE " -> " TWO);
	until_all("3 stable " ONE);
	cr_expect(answer_has("/metrics", "\npresence_shards_given_up_total 1\n"));
	all_say(3, SHARD_PHASE_STABLE, ONE, "");
	until_all("4 prepare " ONE " -> " TWO);
	end();
}

Test(resharding, what_is_no_map_is_counted)
{
	begin(NULL);
	say_shards(g1, 5, SHARD_PHASE_COMMIT, ONE, "", true);
	until_answer("/metrics", "\npresence_shards_malformed_total 1\n");
	say_shards(g1, 5, SHARD_PHASE_STABLE, "r1", "", true);
	until_answer("/metrics", "\npresence_shards_malformed_total 2\n");
	say_shards(g1, 5, SHARD_PHASE_NONE, ONE, "", true);
	until_answer("/metrics", "\npresence_shards_malformed_total 3\n");
	cr_expect(answer_has("/api/v1/cluster/routers", "\"epoch\":0"));
	end();
}
