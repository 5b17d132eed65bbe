/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis that is not there, stands still, breaks connections or refuses: what waited is
 * carried out, once and in order, and what is too much to wait is told anew.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/redis_world.h"

#define LONG_MS 600000

TestSuite(store_redis_away, .init = world_open, .fini = world_close, .timeout = 120);

/* ---- away */

Test(store_redis_away, before_redis_is_there_changes_wait_and_questions_do_not)
{
	const struct session_gateway_id id = { SLICE("g1"), 1 };
	struct replica *replica;
	struct outcome question;
	struct outcome change;

	world_kill();
	replica = world_add();
	cr_expect_gt(replica->store->ops->away_since_ms(replica->store), 1600000000000);
	replica->store->ops->count(replica->store, outcome_init(&question));
	cr_expect(question.is_done);
	cr_expect_eq(question.answer.rc, ERR_IO);
	replica->store->ops->gateway_new(replica->store, &id, LONG_MS,
					 outcome_init(&change));
	cr_expect(!change.is_done);
	world_start(NULL, NULL);
	cr_expect_eq(outcome_wait(&change)->rc, OK);
	cr_expect_not(replica_is_away(replica));
	cr_expect_eq(replica->lost_n, 0);
}

Test(store_redis_away, while_redis_stands_still_changes_wait_in_order)
{
	struct replica *replica;
	struct outcome outcomes[4];
	int64_t began_s;
	uint64_t g1;

	world.options.command_timeout_ms = 200;
	replica = world_begin();
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	cr_expect_eq(replica_put(replica, g1, "c1", "ann"), OK);
	world_pause();
	began_s = loop_unix_ms(world.loop) / 1000;
	replica_remove(replica, g1, "c1", &outcomes[0]);
	WORLD_WAIT(replica_is_away(replica));
	replica_add(replica, g1, "c2", "ann", &outcomes[1]);
	replica_add(replica, g1, "c3", "ben", &outcomes[2]);
	replica_remove(replica, g1, "c3", &outcomes[3]);
	for (int i = 0; i < 50; i++)
		loop_turn(world.loop, 10);
	cr_expect_not(outcomes[0].is_done);
	cr_expect_geq(replica->stats.waiting_since_seconds, began_s);
	cr_expect_leq(replica->stats.waiting_since_seconds, began_s + 5);
	world_resume();
	for (int i = 0; i < 4; i++)
		cr_expect_eq(outcome_wait(&outcomes[i])->rc, OK);
	cr_expect_eq(replica->stats.waiting_since_seconds, 0);
	cr_expect_eq(outcomes[0].answer.users_offline, 1);
	cr_expect_eq(outcomes[1].answer.users_online, 1);
	replica_expect_told(replica, "! +ann -ann +ann +ben -ben ");
	replica_expect_counts(replica, 1, 1);
	cr_expect_eq(replica->lost_n, 0);
}

/* The connection breaks again and again under a load; nothing is lost and nothing done
 * twice, though it is not known what became of the batch under way. */
Test(store_redis_away, broken_connections_lose_and_double_nothing)
{
	enum { N = 3000 };
	static struct outcome outcomes[N];
	struct replica *replica;
	uint64_t g1;
	uint64_t downs = 0;
	char name[16];
	size_t n = 0;

	world.options.events_max = 2 * N;
	replica = world_begin();
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);

	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i / 2);
		if (i % 2 == 0)
			replica_add(replica, g1, name, name, &outcomes[i]);
		else
			replica_remove(replica, g1, name, &outcomes[i]);
		if (i % 200 != 199)
			continue;
		(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
		WORLD_WAIT(replica->redis_stats.downs_total > downs);
		downs = replica->redis_stats.downs_total;
		world_wait_up(replica);
	}
	for (int i = 0; i < N; i++)
		cr_expect_eq(outcome_wait(&outcomes[i])->rc, OK, "%d: %s", i,
			     err_name(outcomes[i].answer.rc));
	WORLD_WAIT(replica->told_n >= N + 1);
	for (const char *at = replica->told; at != NULL; at = strstr(at + 1, "+c"))
		n++;
	cr_expect_eq(n, 1 + N / 2);
	replica_expect_counts(replica, 0, 0);
	cr_expect_eq(replica->told_n, N + 1);
	cr_expect_eq(replica->lost_n, 0);
	cr_expect_geq(downs, N / 200);
}

Test(store_redis_away, an_answer_that_was_lost_is_found)
{
	struct replica *replica = world_begin();
	const struct session_gateway_id id = { SLICE("g1"), 1 };
	struct outcome outcome;

	/* Carried out while we are cut off: Redis answers after its pause, to nobody. */
	world_pause();
	replica->store->ops->gateway_new(replica->store, &id, LONG_MS,
					 outcome_init(&outcome));
	for (int i = 0; i < 3; i++)
		loop_turn(world.loop, 1);
	world_resume();
	(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_eq(replica_put(replica, outcome.answer.registration, "c1", "ann"), OK);
	cr_expect_str_eq(world_redis("HLEN", "{test}:gateways", NULL), "1");
	cr_expect_eq(replica->lost_n, 0);
}

Test(store_redis_away, forgotten_scripts_are_loaded_again)
{
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_gateway(replica, "g1", 1, LONG_MS);

	(void)world_redis("SCRIPT", "FLUSH", NULL);
	cr_expect_eq(replica_put(replica, g1, "c1", "ann"), OK);
	replica_expect_told(replica, "! +ann ");
	cr_expect_eq(replica->lost_n, 0);
}

Test(store_redis_away, a_redis_without_memory_is_asked_again)
{
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	struct outcome outcome;

	(void)world_redis("CONFIG", "SET", "maxmemory", "1", NULL);
	replica_add(replica, g1, "c1", "ann", &outcome);
	WORLD_WAIT(replica_is_away(replica));
	cr_expect_gt(replica->stats.refused_total, 0);
	cr_expect_not(outcome.is_done);
	(void)world_redis("CONFIG", "SET", "maxmemory", "0", NULL);
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica_expect_counts(replica, 1, 1);
	cr_expect_eq(replica->lost_n, 0);
}

/* ---- the queue */

Test(store_redis_away, as_many_as_queue_max_wait_and_one_more_ends_all)
{
	struct replica *replica;
	struct outcome outcomes[5];
	uint64_t g1;

	world.options.queue_max = 4;
	world.options.command_timeout_ms = 200;
	replica = world_begin();
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	world_kill();
	WORLD_WAIT(replica_is_away(replica));
	for (int i = 0; i < 4; i++)
		replica_add(replica, g1, "c1", "ann", &outcomes[i]);
	cr_expect_not(outcomes[0].is_done);
	cr_expect_eq(replica->stats.waiting, 4);
	replica_add(replica, g1, "c1", "ann", &outcomes[4]);
	for (int i = 0; i < 5; i++) {
		cr_expect(outcomes[i].is_done);
		cr_expect_eq(outcomes[i].answer.rc, ERR_NOT_FOUND);
	}
	cr_expect_eq(replica->stats.overflows_total, 1);
	cr_expect_eq(replica->stats.waiting, 0);
	cr_expect_eq(replica->lost_n, 0); /* nobody could tell anything yet */
	replica_add(replica, g1, "c1", "ann", &outcomes[0]);
	cr_expect_eq(outcomes[0].answer.rc, ERR_NOT_FOUND);
	world_start(NULL, NULL);
	WORLD_WAIT(replica->lost_n == 1);
	cr_expect_eq(replica_put(replica, g1, "c1", "ann"), ERR_NOT_FOUND);
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	cr_expect_eq(replica_put(replica, g1, "c1", "ann"), OK);
}

/* Gateways that tell all they have at once must not be made to begin again for it. */
Test(store_redis_away, more_may_wait_for_a_redis_that_is_there)
{
	enum { N = 10000 };
	static struct outcome outcomes[N];
	struct replica *replica;
	char name[16];
	uint64_t g1;

	world.options.queue_max = 4;
	world.options.events_max = N;
	replica = world_begin();
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		replica_add(replica, g1, name, name, &outcomes[i]);
	}
	for (int i = 0; i < N; i++)
		cr_expect_eq(outcome_wait(&outcomes[i])->rc, OK);
	replica_expect_counts(replica, N, N);
	cr_expect_lt(replica->stats.batches_total, N / 100);
	cr_expect_eq(replica->lost_n, 0);
}

Test(store_redis_away, after_an_overflow_what_is_told_again_is_right)
{
	static const char *const after[] = { "ann", "cid" };
	struct replica *replica;
	struct outcome outcomes[8];
	uint64_t g1;

	world.options.queue_max = 3;
	world.options.command_timeout_ms = 200;
	replica = world_begin();
	g1 = replica_gateway(replica, "g1", 1, LONG_MS);
	cr_expect_eq(replica_put(replica, g1, "ann", "ann"), OK);
	cr_expect_eq(replica_put(replica, g1, "ben", "ben"), OK);
	world_pause();
	replica_remove(replica, g1, "ben", &outcomes[0]);
	WORLD_WAIT(replica_is_away(replica));
	for (int i = 1; i < 5; i++)
		replica_add(replica, g1, "cid", "cid", &outcomes[i]);
	world_resume();
	WORLD_WAIT(replica->lost_n == 1);
	(void)replica_tell(replica, "g1", after, 2);
	(void)replica_sweep(replica);
	replica_expect_counts(replica, 2, 2);
	WORLD_WAIT(replica->told_n == 5);
	cr_expect_eq(memcmp(replica->told, "! +ann +ben ", 12), 0);
	cr_expect_not_null(strstr(replica->told, "-ben "));
	cr_expect_not_null(strstr(replica->told, "+cid "));
}

Test(store_redis_away, the_bytes_that_wait_have_a_limit)
{
	struct replica *replica;
	struct outcome outcomes[3];
	char user[2000];

	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	world_kill();
	world.options.queue_bytes_max = 10000;
	replica = world_add();
	replica_add(replica, 1, "c1", user, &outcomes[0]);
	replica_add(replica, 1, "c2", user, &outcomes[1]);
	cr_expect_not(outcomes[1].is_done);
	replica_add(replica, 1, "c3", user, &outcomes[2]);
	cr_expect(outcomes[0].is_done && outcomes[1].is_done && outcomes[2].is_done);
	world_start(NULL, NULL);
	WORLD_WAIT(replica->lost_n == 1);
}

/* ---- rights */

/* The words of the line in docs/PRESENCE.md, with the test's prefix. */
static size_t read_rights(char *line, size_t size, const char *words[], size_t max)
{
	static const char begin[] = "ACL SETUSER heliograph ";
	FILE *file = fopen("docs/PRESENCE.md", "r");
	char *rest = NULL;
	size_t n = 0;

	cr_assert_not_null(file, "run from the root of the tree");
	do
		cr_assert_not_null(fgets(line, (int)size, file));
	while (strncmp(line, begin, sizeof(begin) - 1) != 0);
	(void)fclose(file); /* it was read */
	for (char *word = strtok_r(line, " \n", &rest); word != NULL;
	     word = strtok_r(NULL, " \n", &rest)) {
		cr_assert_lt(n + 1, max);
		words[n++] = strcmp(word, "~{heliograph}:*") == 0 ? "~{test}:*" : word;
	}
	words[n] = NULL;
	return n;
}

Test(store_redis_away, the_documented_rights_suffice)
{
	static const char *const users[] = { "ann", "ben" };
	const char *words[64];
	struct outcome outcome;
	struct replica *replica;
	char line[2048];
	char url[256];
	uint64_t g1;

	cr_assert_gt(read_rights(line, sizeof(line), words, 64), 40);
	cr_assert_str_eq(world_redis_words(words), "OK");
	world_url(url, sizeof(url), "heliograph@");
	world.options.url = url;
	world.options.password = SLICE("secret");
	world.options.offline_grace_ms = 1;
	replica = world_begin();
	g1 = replica_tell(replica, "g1", users, 2);
	replica_expect_told(replica, "! +ann +ben ");
	cr_expect_eq(replica_take(replica, g1, "g1-ann"), OK);
	while (replica->told_n < 4)
		(void)replica_sweep(replica);
	replica->store->ops->gateway_renew(replica->store, g1, LONG_MS,
					   outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica->store->ops->user(replica->store, SLICE("ben"), SLICE_NONE, 1,
				  outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica->store->ops->connection(replica->store, SLICE("g1-ben"),
					outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica->store->ops->events(replica->store, SLICE_NONE, 1,
				    outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica->store->ops->mark(replica->store, SLICE("r1"), SLICE("1"),
				  outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica->store->ops->gateway_retire(replica->store, g1, outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_eq(replica_sweep(replica), 1);
	replica_expect_counts(replica, 0, 0);
	/* Declared after a loss, as well. */
	WORLD_WAIT(replica->stats.mirrored == 0 && replica->told_n == 5);
	g1 = replica_tell(replica, "g1", users, 2);
	WORLD_WAIT(replica->stats.mirrored == 2);
	(void)world_redis("FLUSHALL", NULL);
	replica_notice(replica);
	WORLD_WAIT(replica->lost_n == 1);
	replica_settle(replica);
	WORLD_WAIT(replica->stats.mirrored == 0);
	cr_expect_eq(replica->stats.refused_total, 0);
}
