/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Few are under way at a time, and few routers there are: both are searched as lists.
 */
#include "gateway/moving.h"

#include <string.h>

#include "gateway/gateway.h"
#include "proto/base/mem.h"

void movings_init(struct movings *movings)
{
	*movings = (struct movings){ .leaving_n = 0 };
	list_init(&movings->leaving);
	list_init(&movings->arriving);
}

void moving_init(struct moving *moving, struct conn *conn, uint64_t call,
		 timer_fn *on_timer)
{
	list_init(&moving->node);
	moving->conn = conn;
	moving->call = call;
	timer_init(&moving->timer, on_timer);
}

void moving_fini(struct moving *moving)
{
	list_remove(&moving->node);
	loop_timer_stop(moving->conn->gateway->loop, &moving->timer);
	mem_free(moving->have_cut);
}

static struct moving *moving_at(struct list *node)
{
	return CONTAINER_OF(node, struct moving, node);
}

static struct slice conn_id(const struct conn *conn)
{
	return slice_make(conn->id, CONN_ID_LEN);
}

struct moving *moving_find(const struct list *movings, ProtobufCBinaryData connection,
			   uint64_t call)
{
	LIST_EACH (node, movings) {
		struct moving *moving = moving_at(node);

		if (moving->call == call &&
		    slice_equal(conn_id(moving->conn), link_slice(connection)))
			return moving;
	}
	return NULL;
}

struct moving *moving_of(const struct list *movings, const struct conn *conn)
{
	LIST_EACH (node, movings) {
		if (moving_at(node)->conn == conn)
			return moving_at(node);
	}
	return NULL;
}

/* ---- the cut */

bool moving_has_cut(const struct moving *moving, const struct gateway_router *router)
{
	for (size_t i = 0; i < moving->have_cut_n; i++) {
		if (moving->have_cut[i] == router)
			return true;
	}
	return false;
}

void moving_cut(struct moving *moving, const struct gateway_router *router)
{
	if (moving_has_cut(moving, router))
		return;
	moving->have_cut = mem_realloc(
		moving->have_cut, (moving->have_cut_n + 1) * sizeof(*moving->have_cut));
	moving->have_cut[moving->have_cut_n++] = router;
}

/* ---- what goes to all */

/* Adds those of `movings` whose router has cut, or has not. */
static void leave_out(const struct list *movings, const struct gateway_router *router,
		      bool has_cut, Link__Deliver *copy)
{
	LIST_EACH (node, movings) {
		const struct moving *moving = moving_at(node);
		const struct conn *conn = moving->conn;

		if (moving_has_cut(moving, router) == has_cut &&
		    slice_equal(slice_from_str(conn->hub->name), link_slice(copy->hub)))
			copy->excluded[copy->n_excluded++] = link_bytes(conn_id(conn));
	}
}

static size_t count(const struct list *list)
{
	size_t n = 0;

	LIST_EACH (node, list)
		n++;
	return n;
}

const Link__Deliver *moving_deliver(const struct gateway *gateway,
				    const struct gateway_router *router,
				    const Link__Deliver *deliver, struct arena *arena)
{
	const struct movings *movings = &gateway->movings;
	Link__Deliver *copy;
	size_t n;

	if (deliver->kind != LINK__KIND__KIND_ALL || !movings_are_any(movings))
		return deliver;
	n = deliver->n_excluded + count(&movings->leaving) + count(&movings->arriving);
	copy = arena_alloc(arena, sizeof(*copy));
	*copy = *deliver;
	copy->excluded = arena_alloc(arena, n * sizeof(*copy->excluded));
	if (deliver->n_excluded > 0)
		memcpy(copy->excluded, deliver->excluded,
		       deliver->n_excluded * sizeof(*copy->excluded));
	leave_out(&movings->leaving, router, true, copy);
	leave_out(&movings->arriving, router, false, copy);
	return copy;
}
