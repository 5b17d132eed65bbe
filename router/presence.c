/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is a router's own of what replicas.c does.
 */
#include "router/presence.h"

#include "proto/base/arena.h"
#include "router/group_order.h"
#include "router/shard.h"
#include "router/watch.h"

static void fill_lease(void *owner, Link__Lease *lease)
{
	struct router *router = owner;

	router_count(router);
	lease->connections = router->metrics.connections;
}

static void fill_groups(struct router *router, Link__Report *report, struct arena *arena)
{
	const struct group *largest[GROUP_TOP_MAX];
	const size_t n = group_top_find(&router->groups, largest);

	report->groups = (int64_t)group_order_count(&router->groups);
	report->users = (int64_t)router->groups.groups.count - report->groups;
	report->groups_top = arena_alloc(arena, n * sizeof(*report->groups_top));
	for (size_t i = 0; i < n; i++)
		report->groups_top[report->n_groups_top++] =
			shard_group_size(arena, largest[i]);
}

static void fill_report(void *owner, Link__Report *report, struct arena *arena)
{
	struct router *router = owner;
	const struct router_metrics *metrics = &router->metrics;

	router_count(router);
	report->connections = metrics->connections;
	report->messages_in_total = metrics->invoke_total;
	report->messages_out_total = metrics->deliver_total;
	fill_groups(router, report, arena);
	report->memberships = metrics->members;
	report->calls = metrics->calls;
	report->is_draining = router->proc != NULL && proc_is_draining(router->proc);
}

static void tell_home(void *owner, struct link_peer *home)
{
	watch_begin(owner, home);
}

static const struct replicas_ops replicas_ops = {
	.fill_lease = fill_lease,
	.fill_report = fill_report,
	.tell_home = tell_home,
};

void presence_init(struct router *router)
{
	replicas_init(&router->presence, router->loop, router->conf->link.lease_ms,
		      &router->metrics.presence, &replicas_ops, router);
}
