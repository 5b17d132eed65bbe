/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the last minutes, of a store that answers when the test says so. */
#include "presence/trend.h"

#include <criterion/criterion.h>

#include "presence/presence.h"

static struct presence presence;
static struct trend *trend;
static struct store_call *asked; /* NULL: nobody waits for an answer */
static int64_t away_since_ms;

static void on_count(struct store *store, struct store_call *call)
{
	(void)store;
	cr_assert_null(asked, "it is asked once at a time");
	asked = call;
}

static int64_t on_away_since_ms(const struct store *store)
{
	(void)store;
	return away_since_ms;
}

static const struct store_ops store_ops = { .count = on_count,
					    .away_since_ms = on_away_since_ms };
static struct store store = { .ops = &store_ops };

static void setup(void)
{
	asked = NULL;
	away_since_ms = 0;
	presence.loop = loop_new();
	presence.store = &store;
	leases_init(&presence.processes.leases);
	trend = &presence.trend;
	trend_init(trend, &presence);
}

static void teardown(void)
{
	trend_fini(trend);
	loop_free(presence.loop);
}

TestSuite(trend, .init = setup, .fini = teardown, .timeout = 60);

/* The next sample is due now. */
static void step(void)
{
	loop_timer_start(presence.loop, &trend->timer, 0);
	loop_turn(presence.loop, 20);
	cr_assert(timer_is_running(&trend->timer));
}

static void answer(enum err rc, size_t users, size_t connections)
{
	struct store_call *call = asked;

	cr_assert_not_null(call);
	asked = NULL;
	call->done(call, &(struct store_answer){ .rc = rc,
						 .users_n = users,
						 .connections_n = connections });
}

Test(trend, a_sample_is_what_the_store_tells)
{
	step();
	cr_expect_eq(trend_kept(trend), 0);
	answer(OK, 3, 4);
	cr_assert_eq(trend_kept(trend), 1);
	cr_expect_eq(trend_at(trend, 0)->users, 3);
	cr_expect_eq(trend_at(trend, 0)->connections, 4);
	cr_expect_eq(trend_at(trend, 0)->p50_us, -1);
	cr_expect_gt(trend_at(trend, 0)->at_unix_ms, 0);
}

Test(trend, a_store_that_is_away_is_not_asked)
{
	away_since_ms = 1;
	step();
	cr_expect_null(asked);
	cr_assert_eq(trend_kept(trend), 1);
	cr_expect_eq(trend_at(trend, 0)->users, -1);
}

Test(trend, a_store_that_is_slow_is_not_asked_twice)
{
	step();
	step();
	cr_assert_eq(trend_kept(trend), 1);
	cr_expect_eq(trend_at(trend, 0)->users, -1);
	answer(OK, 3, 4);
	cr_assert_eq(trend_kept(trend), 2);
	cr_expect_eq(trend_at(trend, 1)->users, 3);
	step();
	cr_expect_not_null(asked);
}

Test(trend, a_store_that_fails_has_not_told)
{
	step();
	answer(ERR_TIMEOUT, 0, 0);
	cr_assert_eq(trend_kept(trend), 1);
	cr_expect_eq(trend_at(trend, 0)->connections, -1);
}

Test(trend, a_store_that_ends_makes_no_sample)
{
	step();
	answer(ERR_CLOSED, 0, 0);
	cr_expect_eq(trend_kept(trend), 0);
}

Test(trend, the_oldest_go)
{
	struct trend_sample sample = { 0 };

	for (int i = 0; i < TREND_SAMPLES_MAX; i++) {
		sample.users = i;
		trend_add(trend, &sample);
	}
	cr_expect_eq(trend_kept(trend), TREND_SAMPLES_MAX);
	cr_expect_eq(trend_at(trend, 0)->users, 0);
	sample.users = 1000;
	trend_add(trend, &sample);
	cr_expect_eq(trend_kept(trend), TREND_SAMPLES_MAX);
	cr_expect_eq(trend_at(trend, 0)->users, 1);
	cr_expect_eq(trend_at(trend, TREND_SAMPLES_MAX - 1)->users, 1000);
}
