/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a gateway's links: what it was sent, as text.
 */
#include <criterion/criterion.h>

#include "tests/unit/gateway/conn_kit.h"

static struct slice bytes_of(ProtobufCBinaryData bytes)
{
	return link_slice(bytes);
}

#define BYTES(field) SLICE_FMT(bytes_of(field))
#define LETTER(field) ((field).len > 0 ? (field).data[0] : '?')

static void show_connected(struct buf *out, const Link__Connected *connected)
{
	buf_appendf(out, "Connected %c user=%.*s resumed=%d groups=",
		    LETTER(connected->connection), BYTES(connected->user->id),
		    connected->is_resumed);
	for (size_t i = 0; i < connected->n_groups; i++)
		buf_appendf(out, "%s%.*s", i > 0 ? "," : "", BYTES(connected->groups[i]));
}

static void show_member(struct buf *out, const Link__Member *member)
{
	buf_appendf(out, "Member %s %.*s %c%s",
		    member->kind == LINK__KIND__KIND_USER ? "user" : "group",
		    BYTES(member->name), LETTER(member->connection),
		    member->is_gone ? " gone" : "");
}

static void show_joined(struct buf *out, const Link__Joined *joined)
{
	buf_appendf(out, "Joined %c call=%d rc=%s %s %.*s origin=%.*s",
		    LETTER(joined->connection), (int)joined->call,
		    err_name((enum err)joined->rc), joined->is_leave ? "leave" : "join",
		    BYTES(joined->group), BYTES(joined->origin));
}

static void show_invoke(struct buf *out, const Link__Invoke *invoke)
{
	buf_appendf(out, "Invoke %c call=%d id=%.*s %.*s%.*s%s",
		    LETTER(invoke->connection), (int)invoke->call,
		    BYTES(invoke->invocation_id), BYTES(invoke->target),
		    BYTES(invoke->arguments), invoke->is_stream ? " stream" : "");
}

static void show(struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_CONNECTED:
		show_connected(out, envelope->connected);
		break;
	case LINK__ENVELOPE__BODY_DISCONNECTED:
		buf_appendf(out, "Disconnected %c error=%.*s",
			    LETTER(envelope->disconnected->connection),
			    BYTES(envelope->disconnected->error));
		break;
	case LINK__ENVELOPE__BODY_INVOKE:
		show_invoke(out, envelope->invoke);
		break;
	case LINK__ENVELOPE__BODY_MEMBER:
		show_member(out, envelope->member);
		break;
	case LINK__ENVELOPE__BODY_REPLAYED:
		buf_appendf(out, "Replayed %d", (int)envelope->replayed->connections);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		show_joined(out, envelope->joined);
		break;
	case LINK__ENVELOPE__BODY_OPENED:
		buf_appendf(out, "Opened %c user=%.*s remote=%.*s agent=%.*s",
			    LETTER(envelope->opened->connection),
			    BYTES(envelope->opened->user->id),
			    BYTES(envelope->opened->remote),
			    BYTES(envelope->opened->user_agent));
		break;
	case LINK__ENVELOPE__BODY_CLOSED:
		buf_appendf(out, "Closed %c", LETTER(envelope->closed->connection));
		break;
	case LINK__ENVELOPE__BODY_LEASE:
		buf_appendf(out, "Lease %d connections=%d",
			    (int)envelope->lease->lease_ms,
			    (int)envelope->lease->connections);
		break;
	default:
		buf_appendf(out, "message %d", (int)envelope->body_case);
	}
	buf_append_str(out, "; ");
}

void peer_expect(struct link_peer *peer, const char *sent)
{
	struct buf out = BUF_INIT;
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(peer)) != NULL) {
		show(&out, envelope);
		link__envelope__free_unpacked(envelope, NULL);
	}
	cr_expect_str_eq(kit_shown(&out), sent);
	buf_fini(&out);
}

void peer_handle(struct link_peer *peer)
{
	Link__Envelope *envelope;

	while ((envelope = fake_peer_next(peer)) != NULL)
		link__envelope__free_unpacked(envelope, NULL);
	fake_peer_ack(peer);
}

void peer_fill(struct link_peer *peer)
{
	Link__Connected connected = LINK__CONNECTED__INIT;

	while (link_send_connected(peer, &connected, NULL) == OK)
		;
}
