/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream is two ways, each a queue of packets of which the first is on the agenda. What
 * was sent counts against the window until the receiver has read it. Streams are never
 * freed: the process of a schedule is short.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/net_private.h"

#define DELAY (200)
#define JITTER (300)
#define WINDOW_MIN (4u << 10)
#define WINDOW_MAX (256u << 10)

struct net net;

void net_init(void)
{
	if (net.is_there)
		return;
	net.is_there = true;
	list_init(&net.listeners);
	list_init(&net.ways);
}

static void wake(struct net_end *end)
{
	if (end->wake != NULL && !end->is_closed)
		end->wake(end->owner);
}

/* ---- packets */

static void way_next(struct way *way)
{
	const struct packet *first;

	if (list_is_empty(&way->packets) || sim_is_waiting(&way->event) ||
	    way->is_stalled)
		return;
	first = CONTAINER_OF(way->packets.next, struct packet, node);
	sim_at(&way->event, first->due);
}

static void way_add(struct way *way, enum packet_kind kind, const void *ptr, size_t len)
{
	struct packet *packet;
	const unsigned from = way->from->host;
	const unsigned to = way->to->host;
	int64_t due = sim_now() + DELAY + net.delay[from][to];

	if (way->from->is_mute)
		return;
	packet = malloc(sizeof(*packet) + len);
	assert(packet != NULL);
	due += sim_between(SIM_NET, 0, JITTER + net.jitter[from][to]);
	way->due = due > way->due ? due : way->due;
	packet->kind = kind;
	packet->due = way->due;
	packet->len = len;
	if (len > 0)
		memcpy(packet->bytes, ptr, len);
	list_init(&packet->node);
	list_append(&way->packets, &packet->node);
	way_next(way);
}

void net_way_drop(struct way *way)
{
	struct list *node;

	while ((node = list_shift(&way->packets)) != NULL)
		free(CONTAINER_OF(node, struct packet, node));
	sim_cancel(&way->event);
}

void net_end_reset(struct net_end *end)
{
	end->is_reset = true;
	end->is_open = false;
	if (end->out != NULL)
		net_way_drop(end->out);
	wake(end);
}

static struct net_listener *listener_at(unsigned host, unsigned port)
{
	LIST_EACH (node, &net.listeners) {
		struct net_listener *listener =
			CONTAINER_OF(node, struct net_listener, node);

		if (listener->host == host && listener->port == port)
			return listener;
	}
	return NULL;
}

static void on_syn(struct net_end *end)
{
	struct net_listener *listener = listener_at(end->host, end->port);

	if (listener == NULL) {
		way_add(end->out, PACKET_RESET, NULL, 0);
		end->is_closed = true;
		return;
	}
	end->is_open = true;
	list_append(&listener->arrivals, &end->node);
	way_add(end->out, PACKET_OPEN, NULL, 0);
	listener->wake(listener->owner);
}

static void on_data(struct net_end *end, const struct packet *packet)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + packet->len);

	assert(chunk != NULL);
	chunk->at = 0;
	chunk->len = packet->len;
	memcpy(chunk->bytes, packet->bytes, packet->len);
	list_init(&chunk->node);
	list_append(&end->chunks, &chunk->node);
	wake(end);
}

static void arrive(struct net_end *end, const struct packet *packet)
{
	if (end->is_mute || end->is_reset)
		return;
	if (packet->kind == PACKET_RESET) {
		net_end_reset(end);
	} else if (end->is_closed) {
		if (packet->kind == PACKET_DATA)
			way_add(end->out, PACKET_RESET, NULL, 0);
	} else if (packet->kind == PACKET_SYN) {
		on_syn(end);
	} else if (packet->kind == PACKET_OPEN) {
		end->is_open = true;
		wake(end);
	} else if (packet->kind == PACKET_DATA) {
		on_data(end, packet);
	} else {
		end->is_ended = true;
		wake(end);
	}
}

static void on_due(struct sim_event *event)
{
	struct way *way = CONTAINER_OF(event, struct way, event);
	struct packet *packet;

	if (net.is_blocked[way->from->host][way->to->host]) {
		way->is_stalled = true;
		return;
	}
	packet = CONTAINER_OF(list_shift(&way->packets), struct packet, node);
	arrive(way->to, packet);
	free(packet);
	way_next(way);
}

/* ---- listening */

struct net_listener *net_listen(unsigned host, unsigned port, net_wake_fn *fn,
				void *owner)
{
	struct net_listener *listener;

	net_init();
	if (listener_at(host, port) != NULL)
		return NULL;
	listener = calloc(1, sizeof(*listener));
	assert(listener != NULL && host < NET_HOSTS_MAX);
	list_init(&listener->node);
	list_init(&listener->arrivals);
	listener->host = host;
	listener->port = port;
	listener->wake = fn;
	listener->owner = owner;
	list_append(&net.listeners, &listener->node);
	return listener;
}

void net_unlisten(struct net_listener *listener)
{
	struct net_end *end;

	list_remove(&listener->node);
	while ((end = net_accept(listener)) != NULL)
		net_close(end);
}

bool net_has_arrival(const struct net_listener *listener)
{
	return !list_is_empty(&listener->arrivals);
}

struct net_end *net_accept(struct net_listener *listener)
{
	struct list *node = list_shift(&listener->arrivals);

	return node != NULL ? CONTAINER_OF(node, struct net_end, node) : NULL;
}

/* ---- streams */

static struct net_end *end_new(unsigned host, unsigned port, size_t window)
{
	struct net_end *end = calloc(1, sizeof(*end));

	assert(end != NULL);
	end->host = host;
	end->port = port;
	end->window = window;
	list_init(&end->chunks);
	list_init(&end->node);
	return end;
}

static struct way *way_new(struct net_end *from, struct net_end *to)
{
	struct way *way = calloc(1, sizeof(*way));

	assert(way != NULL);
	way->from = from;
	way->to = to;
	list_init(&way->packets);
	list_init(&way->node);
	sim_event_init(&way->event, on_due);
	list_append(&net.ways, &way->node);
	return way;
}

struct net_end *net_connect(unsigned from, unsigned to, unsigned port, net_wake_fn *fn,
			    void *owner)
{
	const size_t window = (size_t)sim_between(SIM_NET, WINDOW_MIN, WINDOW_MAX);
	struct net_end *near = end_new(from, port, window);
	struct net_end *far = end_new(to, port, window);

	net_init();
	assert(from < NET_HOSTS_MAX && to < NET_HOSTS_MAX);
	near->out = way_new(near, far);
	far->out = way_new(far, near);
	near->in = far->out;
	far->in = near->out;
	net_set_owner(near, fn, owner);
	way_add(near->out, PACKET_SYN, NULL, 0);
	return near;
}

void net_set_owner(struct net_end *end, net_wake_fn *fn, void *owner)
{
	end->wake = fn;
	end->owner = owner;
}

bool net_is_open(const struct net_end *end)
{
	return end->is_open;
}

bool net_is_lost(const struct net_end *end)
{
	return end->is_reset;
}

unsigned net_peer_host(const struct net_end *end)
{
	return end->out->to->host;
}

bool net_may_send(const struct net_end *end)
{
	return end->is_reset || (end->is_open && end->out->used < end->window);
}

bool net_may_recv(const struct net_end *end)
{
	return end->is_reset || end->is_ended || !list_is_empty(&end->chunks);
}

/* Now and then a part, as kernels do. */
static size_t part_of(size_t len)
{
	if (len > 1 && sim_often(SIM_NET, 50))
		return (size_t)sim_between(SIM_NET, 1, (int64_t)len);
	return len;
}

ssize_t net_send(struct net_end *end, const void *ptr, size_t len)
{
	size_t room;

	assert(!end->is_closed && len > 0);
	if (end->is_reset || end->is_shut)
		return -EPIPE;
	if (!net_may_send(end))
		return -EAGAIN;
	room = end->window - end->out->used;
	len = part_of(len < room ? len : room);
	end->out->used += len;
	net.bytes_total += len;
	way_add(end->out, PACKET_DATA, ptr, len);
	return (ssize_t)len;
}

static void credit(struct net_end *end, size_t len)
{
	struct way *way = end->in;
	const bool was_full = way->used >= end->window;

	way->used -= len;
	if (was_full && way->used < end->window)
		wake(way->from);
}

ssize_t net_recv(struct net_end *end, void *ptr, size_t len)
{
	struct chunk *chunk;

	assert(!end->is_closed && len > 0);
	if (list_is_empty(&end->chunks)) {
		if (end->is_reset)
			return -ECONNRESET;
		return end->is_ended ? 0 : -EAGAIN;
	}
	chunk = CONTAINER_OF(end->chunks.next, struct chunk, node);
	len = len < chunk->len - chunk->at ? len : chunk->len - chunk->at;
	len = part_of(len);
	memcpy(ptr, chunk->bytes + chunk->at, len);
	chunk->at += len;
	if (chunk->at == chunk->len) {
		list_remove(&chunk->node);
		free(chunk);
	}
	credit(end, len);
	return (ssize_t)len;
}

void net_shut(struct net_end *end)
{
	if (end->is_shut || end->is_reset)
		return;
	end->is_shut = true;
	way_add(end->out, PACKET_END, NULL, 0);
}

void net_close(struct net_end *end)
{
	struct list *node;
	bool was_unread = false;

	if (end->is_closed)
		return;
	while ((node = list_shift(&end->chunks)) != NULL) {
		was_unread = true;
		free(CONTAINER_OF(node, struct chunk, node));
	}
	/* What was not read is not forgotten quietly. */
	if (was_unread && !end->is_reset)
		way_add(end->out, PACKET_RESET, NULL, 0);
	else
		net_shut(end);
	end->is_closed = true;
	end->wake = NULL;
}
