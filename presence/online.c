/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each change is a store call of its own, which lives until the store answers.
 */
#include "presence/online.h"

#include <inttypes.h>

#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

struct change {
	struct store_call call;
	struct presence *presence; /* borrowed */
};

static struct store_call *change_new(struct presence *presence, store_done_fn *done)
{
	struct change *change = MEM_NEW(struct change);

	change->presence = presence;
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

static void on_failed(struct presence *presence, enum err rc)
{
	presence->metrics.store_failed_total++;
	log_error("store.failed", "reason=%s", err_name(rc));
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
	} else if (answer->rc != OK) {
		on_failed(presence, answer->rc);
	}
	change_done(change, answer);
}

void online_on_opened(struct presence *presence, const struct process *gateway,
		      const Link__Opened *opened)
{
	const int64_t now_unix_ms = loop_unix_ms(presence->loop);
	struct session_info info = {
		.hub = link_slice(opened->hub),
		.connection = link_slice(opened->connection),
		.gateway = process_gateway_id(gateway),
		.remote = link_slice(opened->remote),
		.user_agent = link_slice(opened->user_agent),
		.protocol = opened->protocol,
		.transport = (int)opened->transport,
		.opened_unix_ms = opened->opened_unix_ms,
	};

	presence->metrics.opened_total++;
	if (info.opened_unix_ms <= 0 || info.opened_unix_ms > now_unix_ms)
		info.opened_unix_ms = now_unix_ms;
	if (opened->user != NULL) {
		info.user_id = link_slice(opened->user->id);
		info.user_name = link_slice(opened->user->name);
	}
	presence->store->ops->add(presence->store, &info, change_new(presence, on_added));
}

/* ---- closed */

static void on_removed(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);

	if (answer->rc == ERR_NOT_FOUND)
		change->presence->metrics.closed_unknown_total++;
	else if (answer->rc != OK)
		on_failed(change->presence, answer->rc);
	change_done(change, answer);
}

void online_on_closed(struct presence *presence, const struct process *gateway,
		      const Link__Closed *closed)
{
	const struct session_gateway_id id = process_gateway_id(gateway);

	presence->metrics.closed_total++;
	presence->store->ops->remove(presence->store, &id, link_slice(closed->hub),
				     link_slice(closed->connection),
				     change_new(presence, on_removed));
}

/* ---- a gateway lost */

static void on_gateway_removed(struct store_call *call, const struct store_answer *answer)
{
	struct change *change = CONTAINER_OF(call, struct change, call);
	struct presence *presence = change->presence;

	if (answer->rc != OK) {
		on_failed(presence, answer->rc);
	} else if (answer->connections_n > 0) {
		presence->metrics.dropped_total += answer->connections_n;
		log_warn("session.dropped", "connections=%zu users=%zu",
			 answer->connections_n, answer->users_offline);
	}
	change_done(change, answer);
}

void online_on_gateway_lost(struct presence *presence, const struct process *gateway)
{
	const struct session_gateway_id id = process_gateway_id(gateway);

	presence->store->ops->remove_gateway(presence->store, &id,
					     change_new(presence, on_gateway_removed));
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
	presence->store->ops->count(presence->store, change_new(presence, on_counted));
}
