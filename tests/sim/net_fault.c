/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that go and come, ways that are blocked or slow, streams that break.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/net_private.h"

#define RESEND_MAX (400 * SIM_MS) /* TCP's, behind a way that opens again */
#define BREAK_SPREAD (3 * SIM_MS) /* between what the two sides hear */

static void end_lost(struct net_end *end, bool is_silent)
{
	if (end->is_closed)
		return;
	if (!is_silent) {
		net_close(end);
		return;
	}
	net_way_drop(end->out);
	end->is_mute = true;
	end->is_closed = true;
	end->wake = NULL;
}

void net_host_lost(unsigned host, bool is_silent)
{
	net_init();
	LIST_EACH (node, &net.listeners) {
		struct net_listener *listener =
			CONTAINER_OF(node, struct net_listener, node);

		if (listener->host == host)
			net_unlisten(listener);
	}
	LIST_EACH (node, &net.ways) {
		struct way *way = CONTAINER_OF(node, struct way, node);

		if (way->from->host == host)
			end_lost(way->from, is_silent);
	}
}

/* The new kernel knows none of the streams and says so when asked. */
void net_host_back(unsigned host)
{
	net_init();
	LIST_EACH (node, &net.ways) {
		struct way *way = CONTAINER_OF(node, struct way, node);

		if (way->from->host == host && way->from->is_closed)
			way->from->is_mute = false;
	}
}

static void way_unblock(struct way *way)
{
	if (!way->is_stalled || net.is_blocked[way->from->host][way->to->host])
		return;
	way->is_stalled = false;
	if (!list_is_empty(&way->packets))
		sim_after(&way->event, sim_between(SIM_NET, 0, RESEND_MAX));
}

static void unblock(void)
{
	LIST_EACH (node, &net.ways)
		way_unblock(CONTAINER_OF(node, struct way, node));
}

void net_block(unsigned from, unsigned to, bool is_blocked)
{
	net_init();
	net.is_blocked[from][to] = is_blocked;
	if (!is_blocked)
		unblock();
}

bool net_is_blocked(unsigned from, unsigned to)
{
	return net.is_blocked[from][to];
}

void net_slow(unsigned from, unsigned to, int64_t delay, int64_t jitter)
{
	net.delay[from][to] = delay;
	net.jitter[from][to] = jitter;
}

struct breaking {
	struct sim_event event;
	struct net_end *end;
};

static void on_broken(struct sim_event *event)
{
	struct breaking *breaking = CONTAINER_OF(event, struct breaking, event);

	if (!breaking->end->is_closed)
		net_end_reset(breaking->end);
	free(breaking);
}

/* What is under way is gone at once, and each side hears of it in its own time. */
static void end_break(struct net_end *end, bool is_silent)
{
	struct breaking *breaking;

	net_way_drop(end->out);
	end->is_mute = true;
	if (is_silent)
		return;
	breaking = calloc(1, sizeof(*breaking));
	assert(breaking != NULL);
	breaking->end = end;
	sim_event_init(&breaking->event, on_broken);
	sim_after(&breaking->event, sim_between(SIM_NET, 0, BREAK_SPREAD));
}

unsigned net_break(unsigned a, unsigned b, unsigned n, bool is_silent)
{
	unsigned broken = 0;

	net_init();
	LIST_EACH (node, &net.ways) {
		struct way *way = CONTAINER_OF(node, struct way, node);

		if (broken == n)
			break;
		if (way->from->host != a || way->to->host != b || !way->from->is_open ||
		    way->from->is_closed || way->from->is_mute)
			continue;
		end_break(way->from, is_silent);
		end_break(way->to, is_silent);
		broken++;
	}
	return broken;
}

void net_heal(void)
{
	net_init();
	memset(net.is_blocked, 0, sizeof(net.is_blocked));
	memset(net.delay, 0, sizeof(net.delay));
	memset(net.jitter, 0, sizeof(net.jitter));
	unblock();
}

uint64_t net_bytes_total(void)
{
	return net.bytes_total;
}
