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
	if (link->options.version_min == 0)
		link->options.version_min = LINK_VERSION_MIN;
	if (link->options.version_max == 0)
		link->options.version_max = LINK_VERSION;
	assert(link->options.version_min <= link->options.version_max);
	link->options.keys = NULL;
	link_set_keys(link, options->keys);
	link->pipes = pipe_set_new(loop);
	link->acceptor.fn = on_accept;
	list_init(&link->peers);
	list_init(&link->streams);
	arena_init(&link->arena);
	return link;
}

void link_free(struct link *link)
{
	if (link == NULL)
		return;
	pipe_listener_close(link->listener);
	LIST_EACH (node, &link->peers)
		link_peer_free(CONTAINER_OF(node, struct link_peer, node));
	LIST_EACH (node, &link->streams)
		link_stream_close(CONTAINER_OF(node, struct link_stream, node));
	pipe_set_free(link->pipes);
	arena_fini(&link->arena);
	buf_fini(&link->scratch);
	secrets_fini(&link->keys);
	mem_free(link);
}

void link_set_keys(struct link *link, const struct secrets *keys)
{
	assert(keys->n > 0);
	secrets_copy(&link->keys, keys);
	link->options.stats->key_fingerprint = secrets_fingerprint(keys);
}

enum err link_reload_keys(struct link *link, const char *path)
{
	bool is_changed = false;
	const enum err rc = secrets_reload(&link->keys, "link_key_file", path,
					   SECRET_BYTES_MIN, &is_changed);

	link->options.stats->key_fingerprint = secrets_fingerprint(&link->keys);
	return rc;
}

int64_t link_fingerprint(const struct link *link, const struct secrets *secrets)
{
	return secrets->n > 0 ? secrets_fingerprint_keyed(secrets, link->keys.items[0])
			      : 0;
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

/* Nobody is there. Who has nobody to dial or to expect cannot tell that from the end of
 * the last of its peers. */
static bool is_cut_off(const struct link *link)
{
	if (!link->options.keeps_when_alone || link->options.stats->peers_up > 0)
		return false;
	LIST_EACH (node, &link->peers) {
		if (CONTAINER_OF(node, struct link_peer, node)->is_permanent)
			return true;
	}
	return false;
}

/* Redial, or the end of waiting for a peer that dials us. */
static void on_peer_timer(struct timer *timer)
{
	struct link_peer *peer = CONTAINER_OF(timer, struct link_peer, timer);
	const struct link_options *options = &peer->link->options;

	if (peer->url != NULL) {
		peer_dial(peer);
		return;
	}
	if (is_cut_off(peer->link)) {
		loop_timer_start(peer->loop, timer, options->peer_timeout_ms);
		return;
	}
	if (options->ops->may_forget != NULL && !options->ops->may_forget(peer)) {
		loop_timer_start(peer->loop, timer, LINK_FORGET_AGAIN_MS);
		return;
	}
	log_warn("link.peer_lost", "peer=%s after_ms=%" PRId64, peer->name,
		 options->peer_timeout_ms);
	options->ops->on_lost(peer);
	link_peer_free(peer);
}

/* Nothing went to the peer meanwhile that it could have gone with. */
static void on_ack_timer(struct timer *timer)
{
	struct link_peer *peer = CONTAINER_OF(timer, struct link_peer, ack_timer);

	peer->is_ack_due = true;
	loop_touch(peer->link->loop, &peer->flush);
}

struct link_peer *link_peer_new(struct link *link, Link__Role role, struct slice name)
{
	struct link_peer *peer = MEM_NEW(struct link_peer);

	assert(link_name_is_valid(name));
	peer->link = link;
	peer->loop = link->loop;
	peer->role = role;
	memcpy(peer->name, name.ptr, name.len);
	session_init(&peer->session, (size_t)link->options.window_bytes_max);
	pipe_dial_init(&peer->dial, on_dialed);
	timer_init(&peer->timer, on_peer_timer);
	timer_init(&peer->ack_timer, on_ack_timer);
	link_room_init(peer);
	loop_flush_init(&peer->flush, on_flush);
	list_init(&peer->node);
	list_append(&link->peers, &peer->node);
	link->peers_n++;
	link->options.stats->peers = (int64_t)link->peers_n;
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

	session_reset(&peer->session, stream->version, &kept);
	peer->version = stream->version;
	peer->incarnation = stream->said.incarnation;
	peer->session_number = stream->new_session;
	if (was_known)
		ops->on_lost(peer);
	ops->on_up(peer, true);
	session_restore(&peer->session, &kept);
}

/* We were cut off from all, and are not any more: the others may be back in a moment. */
static void wait_anew(struct link *link)
{
	LIST_EACH (node, &link->peers) {
		struct link_peer *peer = CONTAINER_OF(node, struct link_peer, node);

		if (peer->stream == NULL && peer->url == NULL && !peer->is_permanent)
			loop_timer_start(link->loop, &peer->timer,
					 link->options.peer_timeout_ms);
	}
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
	link_room_on_up(peer);
	if (peer->heard_ms != 0)
		peer->away_ms = stream->received_ms - peer->heard_ms;
	peer->heard_ms = stream->received_ms;
	stats->ups_total++;
	if (++stats->peers_up == 1 && link->options.keeps_when_alone)
		wait_anew(link);
	log_info("link.up", "peer=%s incarnation=%016" PRIx64 " version=%u resumed=%s",
		 peer->name, stream->said.incarnation, (unsigned)stream->version,
		 is_resumed ? "yes" : "no");
	if (is_resumed)
		link->options.ops->on_up(peer, false);
	else
		peer_renew(peer, stream);
	link_room_given(peer);
	peer->is_ack_due = true;
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
	link_room_on_down(peer);
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

/* Whether its sender waits for nothing but our having handled it: joins, sends and
 * stream items go on then. All else has an answer, or is not waited for. */
static bool is_awaited(const Link__Envelope *envelope)
{
	return envelope->body_case == LINK__ENVELOPE__BODY_MEMBER ||
	       envelope->body_case == LINK__ENVELOPE__BODY_DELIVER ||
	       envelope->body_case == LINK__ENVELOPE__BODY_PUSH;
}

void link_peer_handled(struct link_peer *peer, const Link__Envelope *envelope)
{
	session_handled(&peer->session);
	if (is_awaited(envelope))
		peer->is_ack_due = true;
}

/* By itself it costs a frame, and the threads at both ends as much as a message does. */
void link_peer_ack(struct link_peer *peer, size_t batch_bytes)
{
	const struct session *session = &peer->session;

	peer->untold_bytes += batch_bytes;
	if (session->handled_seq - session->told_seq >= LINK_ACK_ENVELOPES ||
	    batch_bytes >= LINK_ACK_BYTES || peer->untold_bytes >= LINK_ACK_HELD_BYTES)
		peer->is_ack_due = true;
	if (peer->is_ack_due)
		loop_touch(peer->link->loop, &peer->flush);
	else if (session_owes_ack(session) && !timer_is_running(&peer->ack_timer))
		loop_timer_start(peer->link->loop, &peer->ack_timer, LINK_ACK_DELAY_MS);
}

bool link_peer_is_taken(const struct link_peer *peer, const struct stream_hello *said)
{
	if (peer == NULL || peer->stream == NULL ||
	    peer->incarnation == said->incarnation)
		return false;
	return loop_now_ms(peer->link->loop) - peer->stream->received_ms <
	       2 * peer->link->options.ping_interval_ms;
}

/* ---- sending */

/* `since`: the version that brought the message. To a peer that was never up it waits for
 * what that speaks: session_reset() asks. */
static enum err peer_send(struct link_peer *peer, Link__Envelope__BodyCase body_case,
			  const ProtobufCMessage *body, uint32_t keep, uint32_t since,
			  struct session_ticket *ticket)
{
	struct link *link = peer->link;
	struct slice record;
	bool is_too_long;
	enum err rc;

	if (peer->is_removed || peer->is_given_up)
		return ERR_CLOSED;
	if (peer->version != 0 && peer->version < since)
		return ERR_UNSUPPORTED;
	rc = batch_record(&link->scratch, body_case, body, LINK_ENVELOPE_BYTES_MAX,
			  &record);
	is_too_long = rc != OK;
	if (rc == OK)
		rc = session_append(&peer->session, record,
				    keep == SESSION_DROP ? SESSION_DROP : since, ticket);
	if (rc != OK) {
		link->options.stats->window_full_total++;
		log_warn("link.window_full", "peer=%s bytes=%zu too_long=%s", peer->name,
			 record.len, is_too_long ? "yes" : "no");
		return rc;
	}
	link->options.stats->envelopes_out_total++;
	link_room_taken(peer);
	loop_touch(link->loop, &peer->flush);
	return OK;
}

#define LINK_SEND_DEFINE(lower, camel, upper, keep, since)                               \
	enum err link_send_##lower(struct link_peer *peer, const Link__##camel *message, \
				   struct session_ticket *ticket)                        \
	{                                                                                \
		return peer_send(peer, LINK__ENVELOPE__BODY_##upper, &message->base,     \
				 keep, since, ticket);                                   \
	}
LINK_MESSAGES(LINK_SEND_DEFINE)
