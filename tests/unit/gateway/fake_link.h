/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for proto/link/link.c: peers with the real session and the order of calls
 * that link.c has, but no streams; the test takes the messages out at the other end.
 * Definitions: for the one source of a test program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_LINK_H
#define TESTS_UNIT_GATEWAY_FAKE_LINK_H

#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "tests/unit/gateway/conn_kit.h"

struct link *link_new(struct loop *loop, const struct link_options *options)
{
	struct link *link = MEM_NEW(struct link);

	(void)loop;
	link->options = *options;
	list_init(&link->peers);
	list_init(&link->removed);
	return link;
}

void link_free(struct link *link)
{
	list_splice(&link->peers, &link->removed);
	LIST_EACH (node, &link->peers) {
		struct link_peer *peer = CONTAINER_OF(node, struct link_peer, node);

		session_fini(&peer->session);
		mem_free(peer);
	}
	mem_free(link);
}

enum err link_reload_keys(struct link *link, const char *path)
{
	(void)link;
	(void)path;
	return OK;
}

void *link_owner(const struct link *link)
{
	return link->options.owner;
}

struct link_peer *link_dial(struct link *link, Link__Role role, const char *name,
			    const char *url)
{
	struct link_peer *peer = MEM_NEW(struct link_peer);

	(void)url;
	peer->link = link;
	peer->role = role;
	memcpy(peer->name, name, strlen(name));
	session_init(&peer->session, (size_t)link->options.window_bytes_max);
	list_append(&link->peers, &peer->node);
	return peer;
}

/* As link_remove.c, but that the struct stays until the end, for the test to look at. */
void link_remove(struct link_peer *peer)
{
	const struct link_ops *ops = peer->link->options.ops;

	peer->is_removed = true;
	list_remove(&peer->node);
	list_append(&peer->link->removed, &peer->node);
	if (peer->is_up)
		ops->on_down(peer);
	peer->is_up = false;
	if (peer->incarnation != 0)
		ops->on_lost(peer);
	session_fini(&peer->session);
	session_init(&peer->session, 0);
}

struct link *link_peer_link(const struct link_peer *peer)
{
	return peer->link;
}

const char *link_peer_name(const struct link_peer *peer)
{
	return peer->name;
}

uint64_t link_peer_incarnation(const struct link_peer *peer)
{
	return peer->incarnation;
}

int64_t link_peer_away_ms(const struct link_peer *peer)
{
	return peer->away_ms;
}

int64_t link_peer_age_ms(const struct link_peer *peer, uint64_t at_ms)
{
	return at_ms != 0 ? peer->age_ms : 0;
}

bool link_peer_is_crowded(const struct link_peer *peer)
{
	return peer->is_crowded;
}

bool link_is_crowded(const struct link *link)
{
	LIST_EACH (node, &link->peers) {
		if (CONTAINER_OF(node, struct link_peer, node)->is_crowded)
			return true;
	}
	return false;
}

void link_peer_set_patience(struct link_peer *peer, int64_t patience_ms)
{
	peer->patience_ms = patience_ms;
}

void fake_peer_crowd(struct link_peer *peer, bool is_crowded)
{
	peer->is_crowded = is_crowded;
	if (!is_crowded)
		peer->link->options.ops->on_room(peer);
}

uint32_t link_peer_version(const struct link_peer *peer)
{
	return peer->version != 0 ? peer->version : LINK_VERSION;
}

bool link_peer_is_up(const struct link_peer *peer)
{
	return peer->is_up;
}

void link_peer_set_owner(struct link_peer *peer, void *owner)
{
	peer->owner = owner;
}

void *link_peer_owner(const struct link_peer *peer)
{
	return peer->owner;
}

void link_peer_reset(struct link_peer *peer)
{
	peer->resets++;
	fake_peer_down(peer);
}

void link_peer_replay(struct link_peer *peer, bool is_on)
{
	session_replay(&peer->session, is_on);
}

size_t link_peer_waiting_bytes(const struct link_peer *peer)
{
	return session_waiting_bytes(&peer->session);
}

Link__Role link_peer_role(const struct link_peer *peer)
{
	return peer->role;
}

struct link_peer *link_peer_next(const struct link *link, const struct link_peer *peer)
{
	struct list *next = peer != NULL ? peer->node.next : link->peers.next;

	return next != &link->peers ? CONTAINER_OF(next, struct link_peer, node) : NULL;
}

static enum err peer_send(struct link_peer *peer, const Link__Envelope *envelope,
			  bool is_kept, struct session_ticket *ticket)
{
	const size_t len = link__envelope__get_packed_size(envelope);
	struct buf record = BUF_INIT;
	enum err rc;

	if (peer->is_removed)
		return ERR_CLOSED;
	if (len > LINK_ENVELOPE_BYTES_MAX)
		return ERR_LIMIT;
	link__envelope__pack(envelope, (uint8_t *)buf_reserve(&record, len));
	record.len = len;
	rc = session_append(&peer->session, buf_slice(&record), is_kept, ticket);
	buf_fini(&record);
	return rc;
}

#define FAKE_SEND(lower, camel, upper, keep, since)                                      \
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
LINK_MESSAGES(FAKE_SEND)

void fake_peer_renew(struct link_peer *peer, uint64_t incarnation)
{
	const struct link_ops *ops = peer->link->options.ops;
	const bool was_known = peer->incarnation != 0;
	struct session_kept kept;

	session_reset(&peer->session, LINK_VERSION, &kept);
	peer->incarnation = incarnation;
	peer->is_up = true;
	if (was_known)
		ops->on_lost(peer);
	ops->on_up(peer, true);
	session_restore(&peer->session, &kept);
}

void fake_peer_down(struct link_peer *peer)
{
	if (!peer->is_up)
		return;
	peer->is_up = false;
	peer->link->options.ops->on_down(peer);
}

void fake_peer_resume(struct link_peer *peer)
{
	peer->is_up = true;
	peer->link->options.ops->on_up(peer, false);
}

Link__Envelope *fake_peer_next(struct link_peer *peer)
{
	uint64_t seq;
	struct slice record;

	if (session_next(&peer->session, 1, &seq, &record) == 0)
		return NULL;
	return link__envelope__unpack(NULL, record.len,
				      (const uint8_t *)(const void *)record.ptr);
}

void fake_peer_ack(struct link_peer *peer)
{
	const enum err rc = session_on_ack(&peer->session, peer->session.sent_seq);

	assert(rc == OK);
}

#endif
