/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for proto/link/link.c: peers with the real session and the order of calls
 * that link.c has, but no streams; the test takes the messages out at the other end.
 * Definitions: for the one source of a test program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_LINK_H
#define TESTS_UNIT_GATEWAY_FAKE_LINK_H

#include "proto/base/mem.h"
#include "tests/unit/gateway/conn_kit.h"

struct link *link_new(struct loop *loop, const struct link_options *options)
{
	struct link *link = MEM_NEW(struct link);

	(void)loop;
	link->options = *options;
	list_init(&link->peers);
	return link;
}

void link_free(struct link *link)
{
	LIST_EACH (node, &link->peers) {
		struct link_peer *peer = CONTAINER_OF(node, struct link_peer, node);

		session_fini(&peer->session);
		mem_free(peer);
	}
	mem_free(link);
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

static enum err peer_send(struct link_peer *peer, const Link__Envelope *envelope,
			  bool is_kept, struct session_ticket *ticket)
{
	const size_t len = link__envelope__get_packed_size(envelope);
	struct buf record = BUF_INIT;
	enum err rc;

	if (len > LINK_ENVELOPE_BYTES_MAX)
		return ERR_LIMIT;
	link__envelope__pack(envelope, (uint8_t *)buf_reserve(&record, len));
	record.len = len;
	rc = session_append(&peer->session, buf_slice(&record), is_kept, ticket);
	buf_fini(&record);
	return rc;
}

#define FAKE_SEND(lower, camel, upper, keep)                                             \
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

	session_reset(&peer->session, &kept);
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
