/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis that evicts keys, which docs/PRESENCE.md says it must not: what is gone is
 * gone, and the rest goes on.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/presence/redis_world.h"

#define LONG_MS 600000

TestSuite(store_redis_evicted, .init = world_open, .fini = world_close, .timeout = 120);

Test(store_redis_evicted, connections_that_are_gone_stop_nobody)
{
	static const char *const all[] = { "ann", "ben", "cid" };
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_tell(replica, "g1", all, 3);
	struct outcome outcome;

	(void)world_redis("EVAL", "return redis.call('DEL', '{test}:c:\\0\\4chatg1-ann')",
			  "0", NULL);
	(void)world_redis("HDEL", "{test}:who", "ben", NULL);
	replica->store->ops->user(replica->store, SLICE("ann"), SLICE_NONE, 10,
				  outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_eq(outcome.answer.sessions_n, 0);
	replica->store->ops->list(replica->store, SLICE_NONE, SLICE_NONE, 10,
				  outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_str_eq(outcome.users, "ann ben cid ");
	cr_expect_eq(replica_take(replica, g1, "g1-ann"), ERR_NOT_FOUND);
	cr_expect_eq(replica_take(replica, g1, "g1-ben"), OK);
	replica->store->ops->gateway_retire(replica->store, g1, outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_eq(replica_sweep(replica), 2);
	cr_expect_eq(replica->stats.refused_total, 0);
	WORLD_WAIT(strstr(replica->told, "-cid ") != NULL);
}

/* Whatever registration is evicted, what it holds is told again, or swept. */
Test(store_redis_evicted, registrations_that_are_gone_stop_nobody)
{
	static const char *const all[] = { "ann", "ben" };
	static const char *const other[] = { "cid" };
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_tell(replica, "g1", all, 2);
	const uint64_t g2 = replica_tell(replica, "g2", other, 1);
	struct outcome outcome;
	char g3[24];

	/* A retired one. */
	replica->store->ops->gateway_retire(replica->store, g2, outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	(void)world_redis("DEL", "{test}:gateways", NULL);
	cr_expect_eq(replica_sweep(replica), 1);
	replica_expect_counts(replica, 2, 2);
	/* A live one: refused, so that all is told again; one is not. */
	cr_expect_eq(replica_take(replica, g1, "g1-ann"), ERR_NOT_FOUND);
	(void)replica_tell(replica, "g1", all, 1);
	(void)replica_sweep(replica);
	replica_expect_counts(replica, 1, 1);
	replica_expect_told(replica, "! +ann +ben +cid -cid -ben ");
	/* One whose lease ends. */
	(void)snprintf(g3, sizeof(g3), "%" PRIu64, replica_gateway(replica, "g3", 1, 1));
	(void)world_redis("DEL", "{test}:gateways", NULL);
	WORLD_WAIT(replica_sweep(replica) == 0 &&
		   world_redis("ZSCORE", "{test}:leases", g3, NULL)[0] == '\0');
	cr_expect_eq(replica->stats.refused_total, 0);
}

static bool has_told(const struct replica *replica, const char *user)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "+%s ", user);
	return strstr(replica->told, text) != NULL;
}

/* Both replicas tell of a newcomer, if they do not tell to ask who is here instead: then
 * of the next one. */
static void until_told(struct replica *p1, struct replica *p2, const char *gateway)
{
	const uint64_t number = replica_gateway(p1, gateway, 1, LONG_MS);
	char user[32];

	for (int i = 0; i == 0 || !has_told(p1, user) || !has_told(p2, user); i++) {
		const uint64_t resets[] = { p1->stats.resets_total,
					    p2->stats.resets_total };

		cr_assert_lt(i, 5, "%s", gateway);
		(void)snprintf(user, sizeof(user), "%s.%d", gateway, i);
		cr_expect_eq(replica_put(p1, number, user, user), OK, "%s", gateway);
		WORLD_WAIT(has_told(p1, user) || p1->stats.resets_total > resets[0]);
		WORLD_WAIT(has_told(p2, user) || p2->stats.resets_total > resets[1]);
	}
	cr_expect_eq(replica_take(p1, number, user), OK, "%s", gateway);
}

/* It has noticed what is gone, and found out how things stand. */
static bool does_sweep(struct replica *replica)
{
	struct outcome outcome;

	replica->store->ops->sweep(replica->store, 1, outcome_init(&outcome));
	return outcome_wait(&outcome)->rc == OK;
}

static bool does_settle(struct replica *replica)
{
	struct outcome outcome;

	replica->store->ops->settle(replica->store, outcome_init(&outcome));
	return outcome_wait(&outcome)->rc == OK && !outcome.answer.is_more;
}

/* And finds the newest event, and marks it. */
static bool does_mark(struct replica *replica)
{
	struct store *store = replica->store;
	struct outcome outcome;

	store->ops->events(store, SLICE_NONE, 1, outcome_init(&outcome));
	if (outcome_wait(&outcome)->rc != OK)
		return false;
	store->ops->mark(store, SLICE("r1"), slice_from_str(outcome.next),
			 outcome_init(&outcome));
	return outcome_wait(&outcome)->rc == OK;
}

/* Whatever key it is: nothing is refused for good, and what comes is told. */
Test(store_redis_evicted, after_any_key_it_goes_on)
{
	static const char *const keys[] = { "epoch",  "format",	  "start", "serial",
					    "clock",  "gateways", "names", "leases",
					    "hubs",   "who",	  "users", "leaving",
					    "events", "marks" };
	static const char *const all[] = { "ann", "ben" };
	struct replica *p1 = world_begin();
	struct replica *p2 = world_join();
	char key[64];

	(void)replica_tell(p1, "g1", all, 2);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(key, sizeof(key), "{test}:%s", keys[i]);
		(void)world_redis("DEL", key, NULL);
		WORLD_WAIT(does_sweep(p2) && does_sweep(p1));
		WORLD_WAIT(does_settle(p1));
		WORLD_WAIT(does_mark(p2));
		until_told(p1, p2, keys[i]);
	}
	cr_expect_eq(p1->stats.refused_total + p2->stats.refused_total, 0);
}

/* Without events nobody can tell what was missed; connections are as they were. */
Test(store_redis_evicted, evicted_events_are_a_reset)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *p1 = world_begin();
	struct replica *p2 = world_join();
	const uint64_t g1 = replica_tell(p1, "g1", all, 2);

	replica_expect_told(p1, "! +ann +ben ");
	replica_expect_told(p2, "+ann +ben ");
	(void)world_redis("DEL", "{test}:events", NULL);
	cr_expect_eq(replica_put(p2, g1, "cid", "cid"), OK);
	replica_expect_told(p1, "! +ann +ben ! ");
	replica_expect_told(p2, "+ann +ben ! ");
	WORLD_WAIT(p1->stats.mirrored == 3 && p2->stats.mirrored == 3);
	cr_expect_eq(replica_put(p1, g1, "dan", "dan"), OK);
	replica_expect_told(p1, "! +ann +ben ! +dan ");
	replica_expect_told(p2, "+ann +ben ! +dan ");
	/* While nobody is connected, and nothing had been told in this stream. */
	(void)world_redis("DEL", "{test}:events", NULL);
	(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	replica_expect_told(p1, "! +ann +ben ! +dan ! ");
	cr_expect_eq(p1->lost_n + p2->lost_n, 0);
}

/* Nobody knows which leases have ended: all is told anew, and who stays makes no event.
 */
Test(store_redis_evicted, an_evicted_clock_is_as_all_that_is_lost)
{
	static const char *const all[] = { "ann", "ben" };
	static const char *const left[] = { "ann", "dan" };
	struct replica *p1 = world_begin();
	struct replica *p2 = world_join();

	(void)replica_tell(p1, "g1", all, 2);
	WORLD_WAIT(p1->stats.mirrored == 2 && p2->stats.mirrored == 2);
	(void)world_redis("DEL", "{test}:clock", NULL);
	replica_notice(p1);
	WORLD_WAIT(p1->lost_n == 1);
	replica_notice(p2);
	WORLD_WAIT(p2->lost_n == 1);
	(void)replica_tell(p1, "g1", left, 2);
	(void)replica_sweep(p1);
	replica_settle(p2);
	(void)replica_sweep(p1);
	WORLD_WAIT(p1->told_n == 5 && p2->told_n == 4);
	cr_expect_not_null(strstr(p1->told, "-ben "));
	cr_expect_not_null(strstr(p1->told, "+dan "));
	cr_expect_str_eq(p1->told + 2, p2->told);
	replica_expect_counts(p1, 2, 2);
}

/* A registration that nobody knows to be void gets no old number. */
Test(store_redis_evicted, an_evicted_serial_goes_on_above)
{
	struct replica *replica = world_begin();
	const uint64_t before = replica_gateway(replica, "g1", 1, LONG_MS);

	(void)world_redis("DEL", "{test}:serial", NULL);
	cr_expect_gt(replica_gateway(replica, "g2", 1, LONG_MS), before);
	/* With nothing left to go by, by the clock: one number a millisecond. */
	(void)usleep(10000);
	(void)world_redis("DEL", "{test}:serial", "{test}:gateways", NULL);
	cr_expect_gt(replica_gateway(replica, "g3", 1, LONG_MS), before);
}
