/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What owners ask of their peers.
 */
#include "proto/link/link_peer.h"

#include "proto/link/link_private.h"

int64_t link_peer_away_ms(const struct link_peer *peer)
{
	return peer->away_ms;
}

int64_t link_peer_age_ms(const struct link_peer *peer, uint64_t at_ms)
{
	const uint64_t now_ms = peer->batch_at_ms;

	if (at_ms == 0 || now_ms == 0)
		return 0;
	/* Whatever a clock of another process may say. */
	if (at_ms > now_ms || now_ms - at_ms > INT32_MAX)
		return at_ms > now_ms ? peer->gap_ms : INT32_MAX;
	return (int64_t)(now_ms - at_ms) + peer->gap_ms;
}

struct link *link_peer_link(const struct link_peer *peer)
{
	return peer->link;
}

Link__Role link_peer_role(const struct link_peer *peer)
{
	return peer->role;
}

const char *link_peer_name(const struct link_peer *peer)
{
	return peer->name;
}

uint64_t link_peer_incarnation(const struct link_peer *peer)
{
	return peer->incarnation;
}

uint32_t link_peer_version(const struct link_peer *peer)
{
	return peer->version;
}

bool link_peer_is_up(const struct link_peer *peer)
{
	return peer->stream != NULL;
}

void link_peer_set_owner(struct link_peer *peer, void *owner)
{
	peer->owner = owner;
}

void *link_peer_owner(const struct link_peer *peer)
{
	return peer->owner;
}

void link_peer_replay(struct link_peer *peer, bool is_on)
{
	session_replay(&peer->session, is_on);
}

size_t link_peer_waiting_bytes(const struct link_peer *peer)
{
	return session_waiting_bytes(&peer->session);
}

struct link_peer *link_peer_next(const struct link *link, const struct link_peer *peer)
{
	struct list *next = peer != NULL ? peer->node.next : link->peers.next;

	if (next == &link->peers)
		return NULL;
	return CONTAINER_OF(next, struct link_peer, node);
}

/* Who lives says something each interval: less than two is no gap. */
static int64_t unusual_ms(const struct link_stream *stream)
{
	return 2 * stream->link->options.ping_interval_ms;
}

/* Whoever is not on time again when the silence is as long ago as it was long has a clock
 * that stood still: it begins anew. */
static void look_over(struct link_stream *stream, int64_t now_ms)
{
	if (now_ms - stream->silent_end_ms > stream->silent_ms)
		stream->silent_ms = 0;
}

void link_stream_heard(struct link_stream *stream)
{
	const int64_t now_ms = loop_now_ms(stream->link->loop);
	const int64_t silent_ms = now_ms - stream->received_ms;

	stream->received_ms = now_ms;
	if (stream->state != STREAM_UP)
		return;
	stream->peer->heard_ms = now_ms;
	if (silent_ms < unusual_ms(stream))
		return;
	/* One more while we have not caught up with the last one adds to it. */
	look_over(stream, now_ms - silent_ms);
	stream->silent_ms += silent_ms;
	stream->silent_end_ms = now_ms;
}

/* Without a batch to compare it with it is as late as can be. */
static int64_t late_ms(const struct link_stream *stream, int64_t now_ms, uint64_t at_ms)
{
	const uint64_t sent = at_ms - stream->on_time_at_ms;
	const int64_t came = now_ms - stream->on_time_ms;

	if (stream->on_time_at_ms == 0 || at_ms < stream->on_time_at_ms)
		return stream->silent_ms;
	if (came < 0 || sent >= (uint64_t)came)
		return 0;
	return came - (int64_t)sent < stream->silent_ms ? came - (int64_t)sent
							: stream->silent_ms;
}

void link_stream_dated(struct link_stream *stream, uint64_t at_ms)
{
	const int64_t now_ms = loop_now_ms(stream->link->loop);
	struct link_peer *peer = stream->peer;

	peer->batch_at_ms = at_ms;
	peer->gap_ms = 0;
	if (at_ms == 0)
		return;
	look_over(stream, now_ms);
	if (stream->silent_ms > 0)
		peer->gap_ms = late_ms(stream, now_ms, at_ms);
	if (peer->gap_ms >= unusual_ms(stream))
		return;
	peer->gap_ms = 0;
	stream->silent_ms = 0;
	stream->on_time_ms = now_ms;
	stream->on_time_at_ms = at_ms;
}

bool link_stream_is_silent(const struct link_stream *stream, int64_t now_ms,
			   const struct link_options *options)
{
	return now_ms - stream->received_ms >= options->stream_timeout_ms &&
	       now_ms - stream->timer.due_ms < options->ping_interval_ms;
}
