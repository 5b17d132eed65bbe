/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A removed peer is in no list and has no stream and no timer; what is left of it is the
 * memory that others hold.
 */
#include "proto/link/link_remove.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_private.h"

static void on_deferred(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct link_peer, defer));
}

void link_peer_free(struct link_peer *peer)
{
	struct link *link = peer->link;

	peer->is_removed = true;
	if (peer->stream != NULL) {
		link_stream_close(peer->stream);
		peer->stream = NULL;
		link->options.stats->peers_up--;
	}
	pipe_dial_cancel(&peer->dial);
	loop_timer_stop(peer->loop, &peer->timer);
	loop_timer_stop(peer->loop, &peer->ack_timer);
	link_room_stop(peer);
	if (peer->is_crowded)
		link->crowded_n--;
	peer->is_crowded = false;
	session_fini(&peer->session);
	loop_untouch(&peer->flush);
	list_remove(&peer->node);
	link->peers_n--;
	link->options.stats->peers = (int64_t)link->peers_n;
	mem_free(peer->url);
	peer->url = NULL;
	if (peer->holds == 0)
		loop_defer_free(peer->loop, &peer->defer, on_deferred);
}

struct link_peer *link_peer_hold(struct link_peer *peer)
{
	if (peer != NULL)
		peer->holds++;
	return peer;
}

void link_peer_release(struct link_peer *peer)
{
	if (peer == NULL)
		return;
	assert(peer->holds > 0);
	if (--peer->holds == 0 && peer->is_removed)
		loop_defer_free(peer->loop, &peer->defer, on_deferred);
}

/* A stream to it that still greets would have it dialed again. */
static void end_greetings(const struct link_peer *peer)
{
	LIST_EACH (node, &peer->link->streams) {
		struct link_stream *stream = CONTAINER_OF(node, struct link_stream, node);

		if (stream->peer == peer && stream != peer->stream)
			link_stream_close(stream);
	}
}

void link_remove(struct link_peer *peer)
{
	assert(peer->is_permanent);
	log_info("link.removed", "peer=%s", peer->name);
	end_greetings(peer);
	if (peer->stream != NULL) {
		link_stream_close(peer->stream);
		link_peer_down(peer);
	}
	if (peer->incarnation != 0)
		peer->link->options.ops->on_lost(peer);
	link_peer_free(peer);
}
