/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of a link: who are you, prove it, then batches and heartbeats.
 *
 *	dialer                    listener
 *	Hello(nonce)  ----------->
 *	              <-----------  Hello(nonce), Proof
 *	Proof         ----------->
 *	Batch ...     <---------->  Batch ...
 *
 * A Proof (link_proof.h) proves the key, the freshness of the stream, and everything the
 * two sides said of themselves.
 */
#include <assert.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/batch.h"
#include "proto/link/link_private.h"

/* A batch is cut here; more than this unsent and the rest waits for the kernel. */
#define STREAM_BATCH_BYTES (32u * 1024u)
#define STREAM_UNSENT_BYTES (256u * 1024u)

/* ---- sending */

static enum err stream_send_frame(struct link_stream *stream, const Link__Frame *frame,
				  struct buf *bytes)
{
	const size_t len = link__frame__get_packed_size(frame);

	assert(len <= LINK_GREETING_BYTES_MAX);
	buf_clear(bytes);
	link__frame__pack(frame, (uint8_t *)buf_reserve(bytes, len));
	bytes->len = len;
	return pipe_send(stream->pipe, &(struct slice){ bytes->ptr, bytes->len }, 1);
}

/* Kept for the proofs. `peer`: what we have of an earlier stream, or NULL. */
static enum err stream_send_hello(struct link_stream *stream,
				  const struct link_peer *peer)
{
	const struct link *link = stream->link;
	uint8_t nonce[LINK_NONCE_BYTES];
	Link__Hello hello = LINK__HELLO__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	crypto_random(nonce, sizeof(nonce));
	hello.version = link->options.version_min;
	hello.version_max = link->options.version_max;
	hello.role = link->options.role;
	hello.name = link_bytes(slice_from_str(link->name));
	hello.incarnation = link->options.incarnation;
	hello.nonce = (ProtobufCBinaryData){ sizeof(nonce), nonce };
	if (peer != NULL && peer->session_number != 0) {
		hello.session = peer->session_number;
		hello.handled_seq = peer->session.handled_seq;
	}
	stream->told_session = hello.session;
	frame.body_case = LINK__FRAME__BODY_HELLO;
	frame.hello = &hello;
	return stream_send_frame(stream, &frame, &stream->hello_ours);
}

static struct link_hellos stream_hellos(const struct link_stream *stream)
{
	const struct slice ours = buf_slice(&stream->hello_ours);
	const struct slice theirs = buf_slice(&stream->hello_theirs);

	return stream->is_dialed ? (struct link_hellos){ ours, theirs }
				 : (struct link_hellos){ theirs, ours };
}

static enum err stream_send_proof(struct link_stream *stream, struct slice key)
{
	const struct link_hellos hellos = stream_hellos(stream);
	uint8_t mac[LINK_PROOF_BYTES];
	Link__Proof proof = LINK__PROOF__INIT;
	Link__Frame frame = LINK__FRAME__INIT;

	link_proof_make(key, stream->is_dialed ? LINK_PROOF_DIALER : LINK_PROOF_LISTENER,
			&hellos, mac);
	proof.mac = (ProtobufCBinaryData){ sizeof(mac), mac };
	frame.body_case = LINK__FRAME__BODY_PROOF;
	frame.proof = &proof;
	stream->new_session = link_proof_session(key, &hellos);
	return stream_send_frame(stream, &frame, &stream->link->scratch);
}

/* One batch of `n` records, or an empty one that only acknowledges. */
static enum err stream_send_batch(struct link_stream *stream, uint64_t first_seq,
				  struct slice records)
{
	struct link *link = stream->link;
	const int64_t now_ms = loop_now_ms(link->loop);
	char head[BATCH_HEAD_BYTES_MAX];
	const size_t head_len =
		batch_frame_head(head, first_seq, stream->peer->session.handled_seq,
				 records.len > 0 ? (uint64_t)now_ms : 0, records.len);
	const struct slice parts[] = { slice_make(head, head_len), records };
	enum err rc;

	rc = pipe_send(stream->pipe, parts, records.len > 0 ? 2 : 1);
	link->options.stats->batches_out_total++;
	link->options.stats->bytes_out_total += head_len + records.len;
	stream->peer->session.told_seq = stream->peer->session.handled_seq;
	stream->peer->untold_bytes = 0;
	stream->sent_ms = now_ms;
	return rc;
}

static void stream_fail(struct link_stream *stream, const char *event,
			const char *reason);

void link_stream_flush(struct link_stream *stream)
{
	struct session *session = &stream->peer->session;
	enum err rc = OK;

	while (rc == OK && session_has_unsent(session)) {
		uint64_t first_seq;
		struct slice records;

		if (pipe_unsent_bytes(stream->pipe) > STREAM_UNSENT_BYTES) {
			pipe_want_drained(stream->pipe);
			break;
		}
		(void)session_next(session, STREAM_BATCH_BYTES, &first_seq, &records);
		rc = stream_send_batch(stream, first_seq, records);
	}
	if (rc == OK && stream->peer->is_ack_due && session_owes_ack(session))
		rc = stream_send_batch(stream, 0, SLICE_NONE);
	stream->peer->is_ack_due = false;
	if (rc != OK)
		stream_fail(stream, "link.send_failed", err_name(rc));
}

/* ---- life */

static void stream_on_deferred(struct loop_defer *defer)
{
	struct link_stream *stream = CONTAINER_OF(defer, struct link_stream, defer);

	buf_fini(&stream->hello_ours);
	buf_fini(&stream->hello_theirs);
	secrets_fini(&stream->keys);
	mem_free(stream);
}

void link_stream_close(struct link_stream *stream)
{
	struct link *link = stream->link;

	if (stream->pipe == NULL)
		return;
	pipe_close(stream->pipe);
	stream->pipe = NULL;
	if (stream->state != STREAM_UP && !stream->is_dialed)
		link->greetings_n--;
	list_remove(&stream->node);
	loop_timer_stop(link->loop, &stream->timer);
	loop_defer_free(link->loop, &stream->defer, stream_on_deferred);
}

/* Ends it and tells the peer, when it had one: a dialer tries again. */
static void stream_lost(struct link_stream *stream)
{
	struct link_peer *peer = stream->peer;

	if (stream->pipe == NULL)
		return;
	link_stream_close(stream);
	if (peer != NULL && peer->stream == stream)
		link_peer_down(peer);
	else if (stream->is_dialed)
		link_peer_redial(peer);
}

static void stream_fail(struct link_stream *stream, const char *event, const char *reason)
{
	log_warn(event, "peer=%s at=%s reason=%s",
		 stream->said.name[0] != '\0' ? stream->said.name : "unknown",
		 pipe_peer(stream->pipe), reason);
	stream_lost(stream);
}

static void stream_refuse(struct link_stream *stream, const char *reason)
{
	stream->link->options.stats->refused_total++;
	stream_fail(stream, "link.refused", reason);
}

static void stream_malformed(struct link_stream *stream, const char *reason)
{
	stream->link->options.stats->malformed_total++;
	stream_fail(stream, "link.malformed", reason);
}

static void on_timer(struct timer *timer)
{
	struct link_stream *stream = CONTAINER_OF(timer, struct link_stream, timer);
	const struct link_options *options = &stream->link->options;
	const int64_t now_ms = loop_now_ms(stream->link->loop);

	if (stream->state != STREAM_UP) {
		stream_refuse(stream, "greeting_timeout");
		return;
	}
	if (link_stream_is_silent(stream, now_ms, options)) {
		stream_fail(stream, "link.silent", "nothing_received");
		return;
	}
	if (now_ms - stream->sent_ms >= options->ping_interval_ms &&
	    stream_send_batch(stream, 0, SLICE_NONE) != OK) {
		stream_fail(stream, "link.send_failed", "heartbeat");
		return;
	}
	/* Not at once when it is up: two that cannot stand each other's frames, or two
	 * processes of one name, would dial without a pause. */
	stream->peer->backoff_ms = LINK_BACKOFF_MIN_MS;
	loop_timer_start(stream->link->loop, timer,
			 stream->sent_ms + options->ping_interval_ms - now_ms);
}

/* ---- the greeting */

/* Whether we want to talk to who this says it is. `*peer`: whom we know by that name. */
static bool stream_is_wanted(const struct link_stream *stream, struct link_peer **peer)
{
	const struct link *link = stream->link;
	const struct stream_hello *said = &stream->said;
	const unsigned role = (unsigned)said->role; /* any number may come */

	*peer = link_peer_find(link, said->role, slice_from_str(said->name));
	if (stream->is_dialed)
		return *peer == stream->peer;
	/* One side of a link dials: were both to, each might close the other's. */
	if (*peer != NULL)
		return (*peer)->url == NULL;
	return role < 32 && (link->options.accepts & 1u << role) != 0 &&
	       link->peers_n < LINK_PEERS_MAX;
}

/* On a version; false: they have none in common, and the stream is closed. */
static bool stream_agree(struct link_stream *stream)
{
	const struct link_options *options = &stream->link->options;
	const struct link_versions ours = { options->version_min, options->version_max };
	const struct link_versions theirs = stream->said.versions;
	char reason[LINK_VERSIONS_TEXT_BYTES];

	stream->version = link_versions_agree(ours, theirs);
	if (stream->version != 0)
		return true;
	link_versions_print(reason, ours, theirs);
	stream_refuse(stream, reason);
	return false;
}

/* The key that is in use now is the one of this greeting, even if another comes into use
 * before the dialer has answered. */
static enum err stream_answer_hello(struct link_stream *stream,
				    const struct link_peer *peer)
{
	const enum err rc = stream_send_hello(stream, peer);

	secrets_copy(&stream->keys, &SECRETS_OF(stream->link->keys.items[0]));
	return rc == OK ? stream_send_proof(stream, stream->keys.items[0]) : rc;
}

static void on_hello(struct link_stream *stream, const Link__Hello *hello,
		     struct slice frame)
{
	struct link_peer *peer;

	if (stream->state != STREAM_HELLO) {
		stream_malformed(stream, "hello_again");
		return;
	}
	if (link_hello_read(hello, &stream->said) != OK) {
		stream_malformed(stream, "hello");
		return;
	}
	if (!stream_agree(stream))
		return;
	if (!stream_is_wanted(stream, &peer)) {
		stream_refuse(stream, "unexpected_peer");
		return;
	}
	buf_append_slice(&stream->hello_theirs, frame);
	stream->state = STREAM_PROOF;
	if (!stream->is_dialed && stream_answer_hello(stream, peer) != OK)
		stream_refuse(stream, "send_failed");
}

/* The dialer takes any of its keys, and answers with the same; the listener wants the one
 * that it used itself. NULL: it is none of ours. */
static const struct slice *stream_find_key(const struct link_stream *stream,
					   struct slice mac)
{
	const bool is_dialed = stream->is_dialed;
	const struct link_hellos hellos = stream_hellos(stream);

	return link_proof_find(is_dialed ? &stream->link->keys : &stream->keys,
			       is_dialed ? LINK_PROOF_LISTENER : LINK_PROOF_DIALER,
			       &hellos, mac);
}

static void on_proof(struct link_stream *stream, const Link__Proof *proof)
{
	struct link *link = stream->link;
	const struct slice *key;
	struct link_peer *peer;
	enum err rc;

	if (stream->state != STREAM_PROOF) {
		stream_malformed(stream, "proof_out_of_order");
		return;
	}
	key = stream_find_key(stream, link_slice(proof->mac));
	if (key == NULL) {
		stream_refuse(stream, "wrong_key");
		return;
	}
	/* Since our hello the peer may have been forgotten, or have come back. */
	if (!stream_is_wanted(stream, &peer) ||
	    (peer != NULL ? peer->session_number : 0) != stream->told_session) {
		stream_refuse(stream, "overtaken");
		return;
	}
	if (!stream->is_dialed && link_peer_is_taken(peer, &stream->said)) {
		stream_refuse(stream, "name_taken");
		return;
	}
	if (stream->is_dialed && stream_send_proof(stream, *key) != OK) {
		stream_refuse(stream, "send_failed");
		return;
	}
	if (peer == NULL)
		peer = link_peer_new(link, stream->said.role,
				     slice_from_str(stream->said.name));
	stream->peer = peer;
	secrets_fini(&stream->keys);
	if (!stream->is_dialed)
		link->greetings_n--;
	stream->state = STREAM_UP;
	pipe_set_frame_max(stream->pipe, PIPE_FRAME_BYTES_MAX);
	loop_timer_start(link->loop, &stream->timer, link->options.ping_interval_ms);
	rc = link_peer_up(peer, stream);
	if (rc == ERR_MALFORMED)
		stream_malformed(stream, "handled_seq");
	else if (rc != OK)
		stream_refuse(stream, "reset");
}

/* ---- batches */

static void on_batch(struct link_stream *stream, const Link__Batch *batch,
		     size_t frame_len)
{
	struct link *link = stream->link;
	struct link_peer *peer = stream->peer;
	size_t seen;

	if (stream->state != STREAM_UP) {
		stream_malformed(stream, "batch_before_proof");
		return;
	}
	/* The ack last: its tickets may reset the peer, which closes this stream. */
	if (session_on_batch(&peer->session, batch->first_seq, batch->n_envelopes,
			     &seen) != OK ||
	    session_on_ack(&peer->session, batch->ack_seq) != OK) {
		stream_malformed(stream, "sequence");
		return;
	}
	link_room_given(peer);
	link_stream_dated(stream, batch->at_ms);
	link->options.stats->batches_in_total++;
	link->options.stats->envelopes_in_total += batch->n_envelopes;
	link->options.stats->duplicate_total += seen;
	for (size_t i = seen; i < batch->n_envelopes && peer->stream == stream; i++) {
		link->options.ops->on_envelope(peer, batch->envelopes[i]);
		link_peer_handled(peer, batch->envelopes[i]);
	}
	if (peer->stream == stream)
		link_peer_ack(peer, frame_len);
}

static void *frame_alloc(void *data, size_t size)
{
	return arena_alloc(data, size);
}

static void frame_free(void *data, void *pointer)
{
	(void)data; /* the arena frees the whole frame at once */
	(void)pointer;
}

/* A frame that does not begin with a Batch. */
static void on_greeting(struct link_stream *stream, struct slice bytes)
{
	ProtobufCAllocator allocator = { frame_alloc, frame_free, &stream->link->arena };
	const Link__Frame *frame =
		link__frame__unpack(&allocator, bytes.len, (const uint8_t *)bytes.ptr);

	if (frame == NULL)
		stream_malformed(stream, "frame");
	else if (frame->body_case == LINK__FRAME__BODY_HELLO)
		on_hello(stream, frame->hello, bytes);
	else if (frame->body_case == LINK__FRAME__BODY_PROOF)
		on_proof(stream, frame->proof);
	else
		stream_malformed(stream, "unknown_frame");
}

static void on_frame(struct pipe_owner *owner, struct pipe *pipe, struct slice bytes)
{
	struct link_stream *stream = CONTAINER_OF(owner, struct link_stream, pipe_owner);
	struct arena *arena = &stream->link->arena;
	Link__Batch batch;

	assert(pipe == stream->pipe);
	link_stream_heard(stream);
	if (!batch_is(bytes))
		on_greeting(stream, bytes);
	else if (batch_decode(arena, bytes, &batch))
		on_batch(stream, &batch, bytes.len);
	else
		stream_malformed(stream, "frame");
	arena_reset(arena);
}

static void on_drained(struct pipe_owner *owner, struct pipe *pipe)
{
	struct link_stream *stream = CONTAINER_OF(owner, struct link_stream, pipe_owner);

	assert(pipe == stream->pipe);
	if (stream->state == STREAM_UP)
		loop_touch(stream->link->loop, &stream->peer->flush);
}

static void on_closed(struct pipe_owner *owner, struct pipe *pipe, enum err rc)
{
	struct link_stream *stream = CONTAINER_OF(owner, struct link_stream, pipe_owner);

	assert(pipe == stream->pipe);
	log_debug("link.closed", "peer=%s reason=%s", stream->said.name, err_name(rc));
	/* Nobody hangs up on a greeting but for a reason. Not so before the first word
	 * to a listener: that may be a health check of the network's. */
	if (rc == ERR_LIMIT)
		stream_malformed(stream, "frame_too_long");
	else if (stream->state == STREAM_PROOF ||
		 (stream->state == STREAM_HELLO && stream->is_dialed))
		stream_refuse(stream, "closed_by_peer");
	else
		stream_lost(stream);
}

/* The oldest goes, not the newcomer: whoever knows the key is through in two round trips,
 * and silent strangers must not keep it out. */
static void greetings_make_room(const struct link *link)
{
	LIST_EACH (node, &link->streams) {
		struct link_stream *stream = CONTAINER_OF(node, struct link_stream, node);

		if (stream->state != STREAM_UP && !stream->is_dialed) {
			stream_refuse(stream, "too_many_greetings");
			return;
		}
	}
}

void link_stream_new(struct link *link, struct pipe *pipe, struct link_peer *peer)
{
	static const struct pipe_ops ops = { on_frame, on_drained, on_closed };
	struct link_stream *stream;

	if (peer == NULL && link->greetings_n >= LINK_GREETINGS_MAX)
		greetings_make_room(link);
	stream = MEM_NEW(struct link_stream);
	stream->pipe_owner.ops = &ops;
	stream->link = link;
	stream->pipe = pipe;
	stream->peer = peer;
	stream->is_dialed = peer != NULL;
	list_init(&stream->node);
	list_append(&link->streams, &stream->node);
	if (!stream->is_dialed)
		link->greetings_n++;
	timer_init(&stream->timer, on_timer);
	loop_timer_start(link->loop, &stream->timer, LINK_GREETING_TIMEOUT_MS);
	pipe_set_owner(pipe, &stream->pipe_owner);
	/* Memory for long frames, and the many times more that unpacking may take, are
	 * for those who proved the key. */
	pipe_set_frame_max(pipe, LINK_GREETING_BYTES_MAX);
	if (stream->is_dialed && stream_send_hello(stream, peer) != OK)
		stream_refuse(stream, "send_failed");
}
