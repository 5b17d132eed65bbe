/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each change is a store call of its own, which lives until the store answers. A change
 * that was not kept is told again: its gateway begins anew.
 */
#include "presence/online.h"

#include <inttypes.h>

#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct change {
	struct store_call call;
	struct presence *presence; /* borrowed */
	uint64_t registration;
};

static struct store_call *change_new(struct presence *presence, uint64_t registration,
				     store_done_fn *done)
{
	struct change *change = MEM_NEW(struct change);

	change->presence = presence;
	change->registration = registration;
	store_call_init(&change->call, done);
	return &change->call;
}

/* The end of every change. */
static void change_done(struct change *change, const struct store_answer *answer)
{
	struct presence_metrics *metrics = &change->presence->metrics;

	metrics->online_total += answer->users_online;
	metrics->offline_total += answer->users_offline;
	mem_free(change);
}

void online_failed(struct presence *presence, enum err rc)
{
	presence->metrics.store_failed_total++;
	log_error("store.failed", "reason=%s", err_name(rc));
}

/* Nobody knows whether it was made. With ERR_CLOSED we are about to end. */
static void change_lost(struct change *change, enum err rc)
{
	online_failed(change->presence, rc);
	if (rc != ERR_CLOSED)
		homes_reset(&change->presence->homes, change->registration);
}

/* The store knows the registration no more: its lease ran out, or another one took its
 * place. */
static void change_fenced(struct change *change)
{
	homes_reset(&change->presence->homes, change->registration);
}

/* ---- opened */

static void on_added(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);
	struct presence *presence = change->presence;

	if (answer->rc == ERR_LIMIT || answer->rc == ERR_ARGUMENT ||
	    answer->rc == ERR_EXISTS) {
		presence->metrics.opened_refused_total++;
		log_warn("session.refused", "reason=%s sessions_max=%" PRId64,
			 err_name(answer->rc), presence->conf->sessions_max);
	} else if (answer->rc == ERR_NOT_FOUND) {
		change_fenced(change);
	} else if (answer->rc != OK) {
		change_lost(change, answer->rc);
	}
	change_done(change, answer);
}

void online_opened(struct presence *presence, uint64_t registration,
		   const Link__Opened *opened)
{
	const int64_t now_unix_ms = loop_unix_ms(presence->loop);
	struct session_info info = {
		.hub = link_slice(opened->hub),
		.connection = link_slice(opened->connection),
		.remote = link_slice(opened->remote),
		.user_agent = link_slice(opened->user_agent),
		.protocol = opened->protocol,
		.transport = (int)opened->transport,
		.opened_unix_ms = opened->opened_unix_ms,
		.is_told = opened->is_told,
		.is_moved = opened->is_moved,
	};

	if (info.opened_unix_ms <= 0 || info.opened_unix_ms > now_unix_ms)
		info.opened_unix_ms = now_unix_ms;
	if (opened->user != NULL) {
		info.user_id = link_slice(opened->user->id);
		info.user_name = link_slice(opened->user->name);
	}
	presence->store->ops->add(presence->store, registration, &info,
				  change_new(presence, registration, on_added));
}

/* ---- closed */

static void on_removed(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);

	if (answer->rc == ERR_NOT_FOUND)
		change->presence->metrics.closed_unknown_total++;
	else if (answer->rc != OK)
		change_lost(change, answer->rc);
	change_done(change, answer);
}

void online_closed(struct presence *presence, uint64_t registration,
		   const Link__Closed *closed)
{
	presence->store->ops->remove(presence->store, registration,
				     link_slice(closed->hub),
				     link_slice(closed->connection),
				     change_new(presence, registration, on_removed));
}

/* ---- registrations */

static void on_told(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);

	if (answer->rc == ERR_NOT_FOUND)
		change_fenced(change);
	else if (answer->rc != OK)
		change_lost(change, answer->rc);
	change_done(change, answer);
}

void online_replayed(struct presence *presence, uint64_t registration)
{
	presence->store->ops->gateway_replayed(
		presence->store, registration,
		change_new(presence, registration, on_told));
}

/* One that fails is made up for by the next. */
static void on_renewed(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);

	if (answer->rc == ERR_NOT_FOUND)
		change_fenced(change);
	else if (answer->rc != OK)
		online_failed(change->presence, answer->rc);
	change_done(change, answer);
}

void online_renew(struct presence *presence, uint64_t registration, int64_t lease_ms)
{
	presence->store->ops->gateway_renew(
		presence->store, registration, lease_ms,
		change_new(presence, registration, on_renewed));
}

/* Another presence may have been faster; and one that fails ends with its lease. */
static void on_retired(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);

	if (answer->rc == ERR_CLOSED) { /* as are we, upkeep with its timers first */
		change_done(change, answer);
		return;
	}
	if (answer->rc != OK && answer->rc != ERR_NOT_FOUND)
		online_failed(change->presence, answer->rc);
	upkeep_sweep_soon(&change->presence->upkeep);
	change_done(change, answer);
}

void online_retire(struct presence *presence, uint64_t registration)
{
	presence->store->ops->gateway_retire(
		presence->store, registration,
		change_new(presence, registration, on_retired));
}

/* ---- gauges */

static void on_counted(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);
	struct presence_metrics *metrics = &change->presence->metrics;

	if (answer->rc == OK) {
		metrics->users = (int64_t)answer->users_n;
		metrics->connections = (int64_t)answer->connections_n;
	}
	change_done(change, answer);
}

void online_count(struct presence *presence)
{
	presence->store->ops->count(presence->store, change_new(presence, 0, on_counted));
}
