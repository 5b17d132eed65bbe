/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sample is taken when the store has told how many there are, or when it is time for
 * the next and it still has not.
 */
#include "presence/trend.h"

#include <assert.h>

#include "presence/cluster_json.h"
#include "presence/presence.h"

/* ---- the ring */

void trend_add(struct trend *trend, const struct trend_sample *sample)
{
	trend->samples[trend->n++ % TREND_SAMPLES_MAX] = *sample;
}

size_t trend_kept(const struct trend *trend)
{
	return trend->n < TREND_SAMPLES_MAX ? (size_t)trend->n : TREND_SAMPLES_MAX;
}

const struct trend_sample *trend_at(const struct trend *trend, size_t i)
{
	assert(i < trend_kept(trend));
	return &trend->samples[(trend->n - trend_kept(trend) + i) % TREND_SAMPLES_MAX];
}

/* ---- taking */

static void take(struct trend *trend, int64_t users, int64_t connections)
{
	const struct presence *presence = trend->presence;
	const struct report_sum sum = cluster_json_sum(&presence->processes.leases,
						       loop_now_ms(presence->loop));
	const struct report_latency latency = report_latency(&sum);

	trend_add(trend,
		  &(struct trend_sample){
			  .at_unix_ms = loop_unix_ms(presence->loop),
			  .users = users,
			  .connections = connections,
			  .messages_in_per_second = sum.per_second[REPORT_MESSAGES_IN],
			  .messages_out_per_second = sum.per_second[REPORT_MESSAGES_OUT],
			  .p50_us = latency.p50_us,
			  .p95_us = latency.p95_us,
			  .p99_us = latency.p99_us,
		  });
}

static void on_counted(struct store_call *call, const struct store_answer *answer)
{
	struct trend *trend = CONTAINER_OF(call, struct trend, call);

	trend->is_asking = false;
	if (answer->rc == OK)
		take(trend, (int64_t)answer->users_n, (int64_t)answer->connections_n);
	else if (answer->rc != ERR_CLOSED)
		take(trend, -1, -1);
}

static void on_timer(struct timer *timer)
{
	struct trend *trend = CONTAINER_OF(timer, struct trend, timer);
	struct store *store = trend->presence->store;

	loop_timer_start(trend->presence->loop, timer, TREND_STEP_MS);
	if (trend->is_asking || store->ops->away_since_ms(store) != 0) {
		take(trend, -1, -1);
		return;
	}
	trend->is_asking = true;
	store_call_init(&trend->call, on_counted);
	store->ops->count(store, &trend->call);
}

/* ---- life */

void trend_init(struct trend *trend, struct presence *presence)
{
	trend->presence = presence;
	trend->is_asking = false;
	trend->n = 0;
	timer_init(&trend->timer, on_timer);
	loop_timer_start(presence->loop, &trend->timer, TREND_STEP_MS);
}

void trend_fini(struct trend *trend)
{
	loop_timer_stop(trend->presence->loop, &trend->timer);
}
