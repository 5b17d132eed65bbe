/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two timers, each of which starts again when the store has answered: it is never asked
 * for two slices at once.
 */
#include "presence/upkeep.h"

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/log.h"

#define STALL_MS 1000 /* so late is our timer only when we stood still */
#define SWEEP_INTERVAL_MS 500
#define SWEEP_MAX 500 /* connections of one slice, and users */

/* The longest that anyone has between two words. */
static int64_t upkeep_lease_ms(const struct upkeep *upkeep)
{
	int64_t lease_ms = upkeep->presence->conf->link.lease_ms;

	LIST_EACH (node, &upkeep->presence->processes.leases.all) {
		const struct lease *lease = CONTAINER_OF(node, struct lease, node);

		if (lease->lease_ms > lease_ms)
			lease_ms = lease->lease_ms;
	}
	return lease_ms;
}

/* ---- when the store is away */

static void settle_in(struct upkeep *upkeep, int64_t delay_ms)
{
	loop_timer_start(upkeep->presence->loop, &upkeep->settle_timer, delay_ms);
}

/* True: it is away. Nobody can tell us anything meanwhile, so the lease that gateways
 * have until the store is settled begins when it is there (again). */
static bool upkeep_look(struct upkeep *upkeep)
{
	struct store *store = upkeep->presence->store;
	const bool was_away = upkeep->is_away;

	upkeep->is_away = store->ops->away_since_ms(store) != 0;
	if (upkeep->is_away)
		loop_timer_stop(upkeep->presence->loop, &upkeep->settle_timer);
	else if (was_away)
		settle_in(upkeep, upkeep_lease_ms(upkeep));
	return upkeep->is_away;
}

/* ---- sweeping */

static void sweep_in(struct upkeep *upkeep, int64_t delay_ms)
{
	struct loop *loop = upkeep->presence->loop;

	upkeep->sweep_due_ms = loop_now_ms(loop) + delay_ms;
	loop_timer_start(loop, &upkeep->sweep_timer, delay_ms);
}

/* Slices that follow each other are one line of the log. */
static void sweep_log(struct upkeep *upkeep)
{
	if (upkeep->swept_n > 0)
		log_warn("session.dropped", "connections=%zu users=%zu", upkeep->swept_n,
			 upkeep->swept_users_n);
	upkeep->swept_n = upkeep->swept_users_n = 0;
}

static void on_swept(struct store_call *call, const struct store_answer *answer)
{
	struct upkeep *upkeep = CONTAINER_OF(call, struct upkeep, sweep_call);
	struct presence_metrics *metrics = &upkeep->presence->metrics;

	upkeep->is_sweeping = false;
	if (answer->rc == ERR_CLOSED)
		return;
	if (answer->rc != OK) {
		if (!upkeep_look(upkeep))
			online_failed(upkeep->presence, answer->rc);
		sweep_in(upkeep, SWEEP_INTERVAL_MS);
		return;
	}
	metrics->sweep_total++;
	metrics->dropped_total += answer->connections_n;
	metrics->offline_total += answer->users_offline;
	upkeep->swept_n += answer->connections_n;
	upkeep->swept_users_n += answer->users_offline;
	if (!answer->is_more)
		sweep_log(upkeep);
	sweep_in(upkeep, answer->is_more ? 0 : SWEEP_INTERVAL_MS);
}

static void on_sweep_timer(struct timer *timer)
{
	struct upkeep *upkeep = CONTAINER_OF(timer, struct upkeep, sweep_timer);
	struct presence *presence = upkeep->presence;
	struct store *store = presence->store;

	if (loop_now_ms(presence->loop) - upkeep->sweep_due_ms > STALL_MS)
		upkeep_stalled(upkeep);
	homes_retry(&presence->homes);
	if (upkeep_look(upkeep) || loop_now_ms(presence->loop) < upkeep->sweep_after_ms) {
		sweep_in(upkeep, SWEEP_INTERVAL_MS);
		return;
	}
	upkeep->is_sweeping = true;
	store_call_init(&upkeep->sweep_call, on_swept);
	store->ops->sweep(store, SWEEP_MAX, &upkeep->sweep_call);
}

void upkeep_sweep_soon(struct upkeep *upkeep)
{
	if (!upkeep->is_sweeping)
		sweep_in(upkeep, 0);
}

void upkeep_stalled(struct upkeep *upkeep)
{
	upkeep->sweep_after_ms =
		loop_now_ms(upkeep->presence->loop) + upkeep_lease_ms(upkeep);
}

/* ---- settling */

static void on_settled(struct store_call *call, const struct store_answer *answer)
{
	struct upkeep *upkeep = CONTAINER_OF(call, struct upkeep, settle_call);

	upkeep->is_settling = false;
	if (answer->rc == ERR_CLOSED)
		return;
	upkeep->presence->metrics.online_total += answer->users_online;
	upkeep->presence->metrics.offline_total += answer->users_offline;
	if (answer->rc != OK && upkeep_look(upkeep))
		return; /* once it is there again */
	if (answer->rc != OK)
		online_failed(upkeep->presence, answer->rc);
	if (timer_is_running(&upkeep->settle_timer))
		return; /* it is quiet again since */
	if (answer->rc != OK)
		settle_in(upkeep, SWEEP_INTERVAL_MS);
	else if (answer->is_more)
		settle_in(upkeep, 0);
	else
		upkeep->is_settled = true;
}

static void on_settle_timer(struct timer *timer)
{
	struct upkeep *upkeep = CONTAINER_OF(timer, struct upkeep, settle_timer);
	struct store *store = upkeep->presence->store;

	if (upkeep_look(upkeep) || timer_is_running(timer))
		return; /* or was until now */
	if (upkeep->is_settling) {
		settle_in(upkeep, SWEEP_INTERVAL_MS);
		return;
	}
	upkeep->is_settling = true;
	store_call_init(&upkeep->settle_call, on_settled);
	store->ops->settle(store, &upkeep->settle_call);
}

void upkeep_lost(struct upkeep *upkeep)
{
	upkeep_stalled(upkeep);
	upkeep->is_settled = false;
	settle_in(upkeep, upkeep_lease_ms(upkeep));
}

/* ---- life */

void upkeep_init(struct upkeep *upkeep, struct presence *presence, bool is_shared)
{
	*upkeep = (struct upkeep){ .presence = presence };
	timer_init(&upkeep->sweep_timer, on_sweep_timer);
	timer_init(&upkeep->settle_timer, on_settle_timer);
	sweep_in(upkeep, SWEEP_INTERVAL_MS);
	settle_in(upkeep, presence->conf->link.lease_ms);
	if (is_shared)
		upkeep_stalled(upkeep);
	(void)upkeep_look(upkeep);
}

void upkeep_fini(struct upkeep *upkeep)
{
	loop_timer_stop(upkeep->presence->loop, &upkeep->sweep_timer);
	loop_timer_stop(upkeep->presence->loop, &upkeep->settle_timer);
}
