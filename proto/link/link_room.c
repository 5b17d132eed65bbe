/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marks of a peer's window, and the end of the patience with one that is away.
 */
#include "proto/link/link_room.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/link/link_private.h"

/* Of the window: from here on on senders wait, and below here they go on. */
#define CROWDED_PART 2
#define ROOM_PART 4

bool link_peer_is_crowded(const struct link_peer *peer)
{
	return peer->is_crowded;
}

bool link_is_crowded(const struct link *link)
{
	return link->crowded_n > 0;
}

void link_room_taken(struct link_peer *peer)
{
	const size_t window = (size_t)peer->link->options.window_bytes_max;

	if (peer->is_crowded ||
	    session_waiting_bytes(&peer->session) < window / CROWDED_PART)
		return;
	peer->is_crowded = true;
	peer->link->crowded_n++;
	peer->link->options.stats->crowded_total++;
}

void link_room_given(struct link_peer *peer)
{
	const struct link_ops *ops = peer->link->options.ops;
	const size_t window = (size_t)peer->link->options.window_bytes_max;

	if (!peer->is_crowded ||
	    session_waiting_bytes(&peer->session) >= window / ROOM_PART)
		return;
	peer->is_crowded = false;
	peer->link->crowded_n--;
	if (ops->on_room != NULL)
		ops->on_room(peer);
}

/* ---- patience */

/* As if its next incarnation had come, which takes nothing of what waits. */
static void give_up(struct link_peer *peer)
{
	struct link *link = peer->link;
	const bool was_known = peer->incarnation != 0;
	struct session_kept kept;

	log_warn("link.given_up", "peer=%s after_ms=%" PRId64, peer->name,
		 peer->patience_ms);
	link->options.stats->given_up_total++;
	peer->is_given_up = true;
	peer->session_number = 0;
	peer->incarnation = 0;
	session_reset(&peer->session, 0, &kept);
	if (was_known)
		link->options.ops->on_lost(peer);
	session_restore(&peer->session, &kept);
	link_room_given(peer);
}

static void on_timer(struct timer *timer)
{
	give_up(CONTAINER_OF(timer, struct link_peer, patience_timer));
}

void link_room_init(struct link_peer *peer)
{
	timer_init(&peer->patience_timer, on_timer);
}

void link_peer_set_patience(struct link_peer *peer, int64_t patience_ms)
{
	assert(peer->is_permanent);
	peer->patience_ms = patience_ms;
	if (patience_ms == 0)
		loop_timer_stop(peer->loop, &peer->patience_timer);
	else if (peer->stream == NULL && !peer->is_given_up)
		loop_timer_start(peer->loop, &peer->patience_timer, patience_ms);
}

void link_room_on_up(struct link_peer *peer)
{
	peer->is_given_up = false;
	link_room_stop(peer);
}

void link_room_on_down(struct link_peer *peer)
{
	if (peer->patience_ms > 0)
		loop_timer_start(peer->loop, &peer->patience_timer, peer->patience_ms);
}

void link_room_stop(struct link_peer *peer)
{
	loop_timer_stop(peer->loop, &peer->patience_timer);
}
