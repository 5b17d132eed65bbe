/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers and sending. A peer owns its session and at most one stream; who dials redials
 * with backoff, who is dialed waits, and forgets an unexpected peer after
 * peer_timeout_ms.
 */
#include <assert.h>
#include <inttypes.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"
#include "proto/link/batch.h"
#include "proto/link/link_private.h"

static void on_accept(struct pipe_acceptor *acceptor, struct pipe *pipe)
{
	link_stream_new(CONTAINER_OF(acceptor, struct link, acceptor), pipe, NULL);
}

struct link *link_new(struct loop *loop, const struct link_options *options)
{
	struct link *link = MEM_NEW(struct link);
	const struct slice name = slice_from_str(options->name);

	assert(options->incarnation != 0);
	assert(options->stats != NULL);
	/* What link_conf_problem() found good. */
	assert(link_name_is_valid(name));
	assert(options->ping_interval_ms * 2 <= options->stream_timeout_ms);
	link->loop = loop;
	link->options = *options;
	memcpy(link->name, name.ptr, name.len);
	link->options.name = link->name;
	buf_append_slice(&link->key, options->key);
	link->options.key = buf_slice(&link->key);
	link->pipes = pipe_set_new(loop);
	link->acceptor.fn = on_accept;
	list_init(&link->peers);
	list_init(&link->streams);
	arena_init(&link->arena);
	return link;
}

static void peer_on_deferred(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct link_peer, defer));
}

/* The owner has been told, or does not want to know any more. */
static void peer_free(struct link_peer *peer)
{
	struct link *link = peer->link;

	if (peer->stream != NULL) {
		link_stream_close(peer->stream);
		peer->stream = NULL;
		link->options.stats->peers_up--;
	}
	pipe_dial_cancel(&peer->dial);
	loop_timer_stop(link->loop, &peer->timer);
	session_fini(&peer->session);
	loop_untouch(&peer->flush);
	list_remove(&peer->node);
	link->peers_n--;
	mem_free(peer->url);
	peer->url = NULL;
	loop_defer_free(link->loop, &peer->defer, peer_on_deferred);
}

void link_free(struct link *link)
{
	if (link == NULL)
		return;
	pipe_listener_close(link->listener);
	LIST_EACH (node, &link->peers)
		peer_free(CONTAINER_OF(node, struct link_peer, node));
	LIST_EACH (node, &link->streams)
		link_stream_close(CONTAINER_OF(node, struct link_stream, node));
	pipe_set_free(link->pipes);
	arena_fini(&link->arena);
	buf_fini(&link->scratch);
	secret_fini(&link->key);
	mem_free(link);
}

void *link_owner(const struct link *link)
{
	return link->options.owner;
}

enum err link_listen(struct link *link, const char *url)
{
	return pipe_listen(link->pipes, url, &link->acceptor, &link->listener);
}

const char *link_listen_url(const struct link *link)
{
	return pipe_listener_url(link->listener);
}

/* ---- peers */

static void on_flush(struct loop_flush *flush)
{
	struct link_peer *peer = CONTAINER_OF(flush, struct link_peer, flush);

	if (peer->stream != NULL)
		link_stream_flush(peer->stream);
}

static void peer_dial(struct link_peer *peer)
{
	pipe_dial_start(peer->link->pipes, peer->url, &peer->dial);
}

/* Waits a random part of the backoff, so that a restarted peer is not stormed. */
void link_peer_redial(struct link_peer *peer)
{
	const int64_t spread = peer->backoff_ms / 2;
	const int64_t wait_ms =
		spread + (int64_t)(crypto_random_uint64() % (uint64_t)(spread + 1));

	loop_timer_start(peer->link->loop, &peer->timer, wait_ms);
	peer->backoff_ms *= 2;
	if (peer->backoff_ms > LINK_BACKOFF_MAX_MS)
		peer->backoff_ms = LINK_BACKOFF_MAX_MS;
}

static void on_dialed(struct pipe_dial *dial, struct pipe *pipe, enum err rc)
{
	struct link_peer *peer = CONTAINER_OF(dial, struct link_peer, dial);

	if (rc == OK) {
		link_stream_new(peer->link, pipe, peer);
		return;
	}
	log_debug("link.dial_failed", "peer=%s reason=%s", peer->name, err_name(rc));
	link_peer_redial(peer);
}

/* Redial, or the end of waiting for a peer that dials us. */
static void on_peer_timer(struct timer *timer)
{
	struct link_peer *peer = CONTAINER_OF(timer, struct link_peer, timer);

	if (peer->url != NULL) {
		peer_dial(peer);
		return;
	}
	log_warn("link.peer_lost", "peer=%s after_ms=%" PRId64, peer->name,
		 peer->link->options.peer_timeout_ms);
	peer->link->options.ops->on_lost(peer);
	peer_free(peer);
}

struct link_peer *link_peer_new(struct link *link, Link__Role role, struct slice name)
{
	struct link_peer *peer = MEM_NEW(struct link_peer);

	assert(link_name_is_valid(name));
	peer->link = link;
	peer->role = role;
	memcpy(peer->name, name.ptr, name.len);
	session_init(&peer->session, (size_t)link->options.window_bytes_max);
	pipe_dial_init(&peer->dial, on_dialed);
	timer_init(&peer->timer, on_peer_timer);
	loop_flush_init(&peer->flush, on_flush);
	list_init(&peer->node);
	list_append(&link->peers, &peer->node);
	link->peers_n++;
	peer->backoff_ms = LINK_BACKOFF_MIN_MS;
	return peer;
}

struct link_peer *link_expect(struct link *link, Link__Role role, const char *name)
{
	struct link_peer *peer = link_peer_new(link, role, slice_from_str(name));

	peer->is_permanent = true;
	return peer;
}

struct link_peer *link_dial(struct link *link, Link__Role role, const char *name,
			    const char *url)
{
	struct link_peer *peer;

	/* No later attempt would fare better. */
	if (!pipe_url_is_known(url))
		fatal("%s = %s=%s: expected tcp://host:port or ipc://path",
		      role == LINK__ROLE__ROLE_PRESENCE ? "presence" : "routers", name,
		      url);
	peer = link_expect(link, role, name);
	peer->url = mem_dup(url, strlen(url));
	peer_dial(peer);
	return peer;
}

struct link_peer *link_peer_find(const struct link *link, Link__Role role,
				 struct slice name)
{
	LIST_EACH (node, &link->peers) {
		struct link_peer *peer = CONTAINER_OF(node, struct link_peer, node);

		if (peer->role == role && slice_equal(slice_from_str(peer->name), name))
			return peer;
	}
	return NULL;
}

/* The other side has nothing of this session: it is new, or it has forgotten us. */
static void peer_renew(struct link_peer *peer, const struct link_stream *stream)
{
	const struct link_ops *ops = peer->link->options.ops;
	const bool was_known = peer->incarnation != 0;
	struct session_kept kept;

	session_reset(&peer->session, &kept);
	peer->incarnation = stream->said.incarnation;
	peer->session_number = stream->new_session;
	if (was_known)
		ops->on_lost(peer);
	ops->on_up(peer, true);
	session_restore(&peer->session, &kept);
}

/*
 * Both sides told the number of the session they have, so both come to the same answer
 * here; a side that cannot go on forgets its number first and says so in the next hello.
 */
enum err link_peer_up(struct link_peer *peer, struct link_stream *stream)
{
	struct link *link = peer->link;
	struct link_stats *stats = link->options.stats;
	const bool is_resumed = stream->told_session != 0 &&
				stream->told_session == stream->said.session_number;

	assert(stream->told_session == peer->session_number);
	if (is_resumed) {
		if (session_resume(&peer->session, stream->said.handled_seq) != OK) {
			peer->session_number = 0;
			return ERR_MALFORMED;
		}
		if (peer->session_number == 0)
			return ERR_CANCELED;
		stats->resent_total += peer->session.tried_seq - peer->session.acked_seq;
	}
	if (peer->stream != NULL) {
		link_stream_close(peer->stream);
		stats->peers_up--;
	}
	loop_timer_stop(link->loop, &peer->timer);
	peer->stream = stream;
	if (peer->heard_ms != 0)
		peer->away_ms = stream->received_ms - peer->heard_ms;
	peer->heard_ms = stream->received_ms;
	stats->ups_total++;
	stats->peers_up++;
	log_info("link.up", "peer=%s incarnation=%016" PRIx64 " resumed=%s", peer->name,
		 stream->said.incarnation, is_resumed ? "yes" : "no");
	if (is_resumed)
		link->options.ops->on_up(peer, false);
	else
		peer_renew(peer, stream);
	loop_touch(link->loop, &peer->flush);
	return OK;
}

void link_peer_down(struct link_peer *peer)
{
	struct link *link = peer->link;

	peer->stream = NULL;
	link->options.stats->downs_total++;
	link->options.stats->peers_up--;
	log_warn("link.down", "peer=%s", peer->name);
	if (peer->url != NULL)
		link_peer_redial(peer);
	else if (!peer->is_permanent)
		loop_timer_start(link->loop, &peer->timer, link->options.peer_timeout_ms);
	link->options.ops->on_down(peer);
}

/* Without a number no greeting can resume, on either side. */
void link_peer_reset(struct link_peer *peer)
{
	log_info("link.reset", "peer=%s", peer->name);
	peer->session_number = 0;
	if (peer->stream == NULL)
		return;
	link_stream_close(peer->stream);
	link_peer_down(peer);
}

bool link_peer_is_taken(const struct link_peer *peer, const struct stream_hello *said)
{
	if (peer == NULL || peer->stream == NULL ||
	    peer->incarnation == said->incarnation)
		return false;
	return loop_now_ms(peer->link->loop) - peer->stream->received_ms <
	       2 * peer->link->options.ping_interval_ms;
}

int64_t link_peer_away_ms(const struct link_peer *peer)
{
	return peer->away_ms;
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

struct link_peer *link_peer_next(const struct link *link, const struct link_peer *peer)
{
	struct list *next = peer != NULL ? peer->node.next : link->peers.next;

	if (next == &link->peers)
		return NULL;
	return CONTAINER_OF(next, struct link_peer, node);
}

/* ---- sending */

static enum err peer_send(struct link_peer *peer, const Link__Envelope *envelope,
			  bool is_kept, struct session_ticket *ticket)
{
	struct link *link = peer->link;
	struct buf *record = &link->scratch;
	const size_t len = link__envelope__get_packed_size(envelope);
	const bool is_too_long = len > LINK_ENVELOPE_BYTES_MAX;
	enum err rc = ERR_LIMIT;

	if (!is_too_long) {
		buf_clear(record);
		batch_append_record_head(record, len);
		link__envelope__pack(envelope, (uint8_t *)buf_reserve(record, len));
		record->len += len;
		rc = session_append(&peer->session, buf_slice(record), is_kept, ticket);
	}
	if (rc != OK) {
		link->options.stats->window_full_total++;
		log_warn("link.window_full", "peer=%s bytes=%zu too_long=%s", peer->name,
			 len, is_too_long ? "yes" : "no");
		return rc;
	}
	link->options.stats->envelopes_out_total++;
	loop_touch(link->loop, &peer->flush);
	return OK;
}

/* The generated struct wants a pointer that is not const; packing only reads. */
#define LINK_SEND_DEFINE(lower, camel, upper, keep)                                      \
	enum err link_send_##lower(struct link_peer *peer, const Link__##camel *message, \
				   struct session_ticket *ticket)                        \
	{                                                                                \
		Link__Envelope envelope = LINK__ENVELOPE__INIT;                          \
		union {                                                                  \
			const Link__##camel *given;                                      \
			Link__##camel *wanted;                                           \
		} body = { .given = message };                                           \
                                                                                         \
		envelope.body_case = LINK__ENVELOPE__BODY_##upper;                       \
		envelope.lower = body.wanted;                                            \
		return peer_send(peer, &envelope, keep, ticket);                         \
	}
LINK_MESSAGES(LINK_SEND_DEFINE)
