/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis that has lost what it had, or some of it: all is told anew, and watchers hear
 * of what changed, once.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/presence/redis_world.h"

#define LONG_MS 600000

TestSuite(store_redis_lost, .init = world_open, .fini = world_close, .timeout = 120);

/* ---- lost */

static void flush_all(void)
{
	(void)world_redis("FLUSHALL", NULL);
}

static void restart_empty(void)
{
	world_kill();
	world_start(NULL, NULL);
}

/* Those still here: no event. Those who are not: one. Newcomers: one. */
static void lose_and_settle(void (*lose)(void))
{
	static const char *const all[] = { "ann", "ben", "cid" };
	static const char *const left[] = { "ann", "dan" };
	struct replica *p1 = world_begin();
	struct replica *p2 = world_join();

	(void)replica_tell(p1, "g1", all, 3);
	(void)replica_tell(p2, "g2", all, 1);
	replica_expect_told(p1, "! +ann +ben +cid ");
	replica_expect_told(p2, "+ann +ben +cid ");
	WORLD_WAIT(p1->stats.mirrored == 3 && p2->stats.mirrored == 3);
	lose();
	replica_notice(p1);
	WORLD_WAIT(p1->lost_n == 1);
	(void)replica_tell(p1, "g1", left, 2);
	WORLD_WAIT(p2->lost_n == 1);
	replica_expect_told(p1, "! +ann +ben +cid ");
	replica_settle(p2);
	WORLD_WAIT(p1->told_n == 7 && p2->told_n == 6);
	cr_expect_not_null(strstr(p1->told, "-ben "));
	cr_expect_not_null(strstr(p1->told, "-cid "));
	cr_expect_not_null(strstr(p1->told, "+dan "));
	cr_expect_str_eq(p1->told + 2, p2->told);
	replica_expect_counts(p1, 2, 2);
	/* And goes on. */
	cr_expect_eq(replica_put(p1, replica_gateway(p1, "g3", 1, LONG_MS), "c", "eve"),
		     OK);
	WORLD_WAIT(p1->told_n == 8 && p2->told_n == 7);
}

Test(store_redis_lost, after_a_flush_only_what_changed_is_told)
{
	lose_and_settle(flush_all);
}

Test(store_redis_lost, after_a_restart_only_what_changed_is_told)
{
	lose_and_settle(restart_empty);
}

Test(store_redis_lost, what_is_lost_twice_is_settled_once)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *p1 = world_begin();
	struct outcome outcome;

	(void)replica_tell(p1, "g1", all, 2);
	replica_expect_told(p1, "! +ann +ben ");
	WORLD_WAIT(p1->stats.mirrored == 2);
	flush_all();
	replica_notice(p1);
	WORLD_WAIT(p1->lost_n == 1);
	(void)replica_tell(p1, "g1", all, 1);
	flush_all();
	replica_notice(p1);
	WORLD_WAIT(p1->lost_n == 2);
	(void)replica_tell(p1, "g1", all + 1, 1);
	p1->store->ops->settle(p1->store, outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	cr_expect_eq(outcome.answer.users_online, 0);
	cr_expect_eq(outcome.answer.users_offline, 1);
	cr_expect_not(outcome.answer.is_more);
	replica_expect_told(p1, "! +ann +ben -ann ");
	replica_expect_counts(p1, 1, 1);
}

/* A replica that comes late, with others who have settled, has its watchers ask. */
Test(store_redis_lost, who_comes_back_late_is_told_to_ask)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *p1;
	struct replica *p2;

	world_use("p1");
	p1 = world_begin();
	world_use(NULL);
	(void)replica_tell(p1, "g1", all, 2);
	WORLD_WAIT(p1->stats.mirrored == 2);
	(void)world_redis("ACL", "SETUSER", "p1", "off", NULL);
	(void)world_redis("CLIENT", "KILL", "USER", "p1", NULL);
	WORLD_WAIT(replica_is_away(p1));
	flush_all();
	p2 = world_join();
	replica_settle(p2);
	(void)replica_tell(p2, "g1", all, 1);
	replica_expect_told(p2, "! +ann ");
	(void)world_redis("ACL", "SETUSER", "p1", "on", NULL);
	WORLD_WAIT(p1->lost_n == 1);
	replica_expect_told(p1, "! +ann +ben ! ");
	cr_expect_eq(replica_put(p1, replica_gateway(p1, "g2", 1, LONG_MS), "c", "cid"),
		     OK);
	replica_expect_told(p1, "! +ann +ben ! +cid ");
	replica_expect_told(p2, "! +ann +cid ");
	WORLD_WAIT(p1->stats.mirrored == 2);
}

static size_t events_after(struct replica *replica, const char *id)
{
	struct outcome outcome;

	replica->store->ops->events(replica->store, slice_from_str(id), 10,
				    outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	return outcome.answer.events_n;
}

/* Replicas that believed different things are told what is new to each; who asks for what
 * he missed is told all of it, whichever he asks. */
Test(store_redis_lost, beliefs_may_differ)
{
	static const char *const before[] = { "ann", "ben" };
	static const char *const all[] = { "ann", "ben", "cid" };
	struct replica *p1 = world_begin();
	struct replica *p2;
	struct outcome outcome;
	uint64_t g1;

	world_use("p2");
	p2 = world_join();
	g1 = replica_tell(p1, "g1", before, 2);
	WORLD_WAIT(p1->stats.mirrored == 2 && p2->stats.mirrored == 2);
	/* p2 hears no more of p1's. */
	(void)world_redis("ACL", "SETUSER", "p2", "-xread", NULL);
	(void)world_redis("CLIENT", "KILL", "USER", "p2", NULL);
	WORLD_WAIT(replica_is_away(p2));
	cr_expect_eq(replica_put(p1, g1, "cid", "cid"), OK);
	cr_expect_eq(replica_take(p1, g1, "g1-ben"), OK);
	replica_expect_told(p1, "! +ann +ben +cid -ben ");
	flush_all();
	(void)world_redis("ACL", "SETUSER", "p2", "+xread", NULL);
	replica_notice(p1);
	WORLD_WAIT(p1->lost_n == 1 && p2->lost_n == 1 && !replica_is_away(p2));
	(void)replica_tell(p1, "g1", all, 3);
	p1->store->ops->events(p1->store, SLICE_NONE, 1, outcome_init(&outcome));
	cr_expect_eq(outcome_wait(&outcome)->rc, OK);
	replica_settle(p1);
	replica_expect_told(p1, "! +ann +ben +cid -ben +ben ");
	replica_expect_told(p2, "+ann +ben +cid ");
	WORLD_WAIT(p1->stats.events_dropped_total == 1 &&
		   p2->stats.events_dropped_total == 1);
	cr_expect_eq(events_after(p1, outcome.next), 2);
	cr_expect_eq(events_after(p2, outcome.next), 2);
	WORLD_WAIT(p1->stats.mirrored == 3 && p2->stats.mirrored == 3);
}

/* ---- events that are missed, and clocks */

Test(store_redis_lost, who_missed_events_that_are_forgotten_is_told_to_ask)
{
	struct replica *p1;
	struct replica *p2;
	char name[16];
	uint64_t g1;

	world.options.events_max = 10;
	p1 = world_begin();
	world_use("p2");
	p2 = world_join();
	(void)world_redis("ACL", "SETUSER", "p2", "-xread", NULL);
	(void)world_redis("CLIENT", "KILL", "USER", "p2", NULL);
	WORLD_WAIT(replica_is_away(p2));
	g1 = replica_gateway(p1, "g1", 1, LONG_MS);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		cr_expect_eq(replica_put(p1, g1, name, name), OK);
	}
	(void)world_redis("ACL", "SETUSER", "p2", "+xread", NULL);
	WORLD_WAIT(strncmp(p2->told, "! ", 2) == 0);
	WORLD_WAIT(p2->stats.mirrored == 500);
	cr_expect_eq(p2->stats.resets_total, 1);
	cr_expect_eq(p2->lost_n, 0);
}

Test(store_redis_lost, leases_do_not_run_while_nobody_can_renew_them)
{
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_gateway(replica, "g1", 1, 3000);
	const int64_t began_ms = loop_now_ms(world.loop);

	cr_expect_eq(replica_put(replica, g1, "c1", "ann"), OK);
	(void)replica_sweep(replica);
	/* Longer than the lease, and than what is taken for standing still. */
	while (loop_now_ms(world.loop) < began_ms + 4000)
		loop_turn(world.loop, 100);
	cr_expect_eq(replica_sweep(replica), 0);
	replica_expect_counts(replica, 1, 1);
	/* And run again. */
	WORLD_WAIT(replica_sweep(replica) == 1);
	replica_expect_counts(replica, 0, 0);
}

/* The key of what Redis remembers of the only replica. */
static void find_record(char *key, size_t size)
{
	const char *found = world_redis("KEYS", "{test}:replica:*", NULL);
	const size_t len = strcspn(found, " ");

	cr_assert_lt(len, size);
	memcpy(key, found, len);
	key[len] = '\0';
}

/* What is still on its way over a connection that we gave up is not carried out. */
Test(store_redis_lost, a_connection_that_was_given_up_is_fenced_off)
{
	struct replica *replica = world_begin();
	const char *was;
	char key[64];
	char value[64];

	find_record(key, sizeof(key));
	(void)snprintf(value, sizeof(value), "%s", world_redis("GET", key, NULL));
	cr_expect_eq(strncmp(value, "1 ", 2), 0);
	/* As a later connection of ours would: what this one asks for is refused, until
	 * it has asked again how things stand. */
	value[0] = '9';
	(void)world_redis("SET", key, value, NULL);
	(void)replica_gateway(replica, "g1", 1, LONG_MS);
	was = world_redis("GET", key, NULL);
	cr_expect_eq(strncmp(was, "2 ", 2), 0, "%s", was);
	cr_expect_eq(replica->lost_n, 0);
}

/* It failed over to one that had not had our last batch, nor its events. */
Test(store_redis_lost, what_a_failover_forgot_is_told_again)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *replica = world_begin();
	const uint64_t g1 = replica_tell(replica, "g1", all, 2);
	char key[64];
	char value[64];

	replica_expect_told(replica, "! +ann +ben ");
	find_record(key, sizeof(key));
	(void)snprintf(value, sizeof(value), "%s", world_redis("GET", key, NULL));
	cr_expect_eq(replica_put(replica, g1, "cid", "cid"), OK);
	replica_expect_told(replica, "! +ann +ben +cid ");
	(void)world_redis("SET", key, value, NULL);
	(void)world_redis("XTRIM", "{test}:events", "MAXLEN", "0", NULL);
	(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	WORLD_WAIT(replica->lost_n == 1);
	replica_expect_told(replica, "! +ann +ben +cid ! ");
	(void)replica_tell(replica, "g1", all, 1);
	(void)replica_sweep(replica);
	WORLD_WAIT(replica->told_n == 7);
	replica_expect_counts(replica, 1, 1);
	WORLD_WAIT(replica->stats.mirrored == 1);
}

/* It failed over to one that had not had our last registrations either: the next ones are
 * not among those that we know to be void. */
Test(store_redis_lost, after_a_failover_registrations_have_new_numbers)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *replica = world_begin();
	uint64_t before;
	char serial[64];
	char key[64];
	char value[64];

	find_record(key, sizeof(key));
	(void)snprintf(value, sizeof(value), "%s", world_redis("GET", key, NULL));
	(void)snprintf(serial, sizeof(serial), "%s",
		       world_redis("GET", "{test}:serial", NULL));
	(void)replica_gateway(replica, "g2", 1, LONG_MS);
	(void)replica_gateway(replica, "g3", 1, LONG_MS);
	before = replica_tell(replica, "g1", all, 2);
	replica_expect_told(replica, "! +ann +ben ");
	(void)world_redis("SET", key, value, NULL);
	(void)world_redis("SET", "{test}:serial", serial, NULL);
	(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	WORLD_WAIT(replica->lost_n == 1);
	cr_expect_gt(replica_tell(replica, "g1", all, 1), before);
	(void)replica_sweep(replica);
	replica_expect_counts(replica, 1, 1);
	cr_expect_eq(replica->lost_n, 1);
}

/* A new replica made the store anew while Redis' clock was behind: who knows later ids
 * sees to it that all that come are later still. */
Test(store_redis_lost, ids_grow_when_the_clock_went_back)
{
	static const char *const all[] = { "ann", "ben" };
	struct replica *replica = world_begin();
	uint64_t before = replica_tell(replica, "g1", all, 2);

	replica_expect_told(replica, "! +ann +ben ");
	(void)world_redis("FLUSHALL", NULL);
	(void)world_redis("MSET", "{test}:epoch", "0123456789abcdef0123456789abcdef",
			  "{test}:start", "1000", "{test}:serial", "1000", "{test}:clock",
			  "1000 0", NULL);
	(void)world_redis("XADD", "{test}:events", "1000-0", "t", "b", "u", "", "n", "",
			  "a", "1000", NULL);
	replica_notice(replica);
	WORLD_WAIT(replica->lost_n == 1);
	cr_expect_gt(replica_tell(replica, "g1", all, 2), before);
	WORLD_WAIT(strstr(replica->told, "+ben ! +ann +ben ") != NULL);
}

Test(store_redis_lost, a_store_of_another_format_is_refused)
{
	struct replica *replica = world_begin();

	(void)world_redis("SET", "{test}:format", "2", NULL);
	(void)world_redis("CLIENT", "KILL", "TYPE", "normal", NULL);
	WORLD_WAIT(strstr(world_redis("INFO", "errorstats", NULL), "errorstat_FORMAT"));
	cr_expect(replica_is_away(replica));
	(void)world_redis("SET", "{test}:format", "1", NULL);
	world_wait_up(replica);
	cr_expect_eq(replica->lost_n, 0);
}
