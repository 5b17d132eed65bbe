/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests a connection takes is decided by its transport and the request's kind
 * alone: one table. What is not refused there is given to the transport.
 */
#include "gateway/request.h"

#include <assert.h>

#include "gateway/conn_in.h"
#include "gateway/inbox.h"
#include "gateway/transport_lp.h"

struct refusal {
	int status; /* 0: the request is taken */
	const char *text;
};

#define KINDS (LINK__REQUEST_KIND__REQUEST_KIND_DELETE + 1)

#define TAKEN                                                                            \
	{                                                                                \
		0, NULL                                                                  \
	}
#define CHANGED                                                                          \
	{                                                                                \
		400, "Cannot change transports mid-connection"                           \
	}
#define TWICE                                                                            \
	{                                                                                \
		409, ""                                                                  \
	}
#define NO_POST                                                                          \
	{                                                                                \
		405, "POST requests are not allowed for WebSocket connections."          \
	}
#define NO_DELETE                                                                        \
	{                                                                                \
		400, "Cannot terminate this connection using the DELETE endpoint."       \
	}

/* The columns: WebSocket, events, poll, POST, DELETE. */
static const struct refusal refusals[TRANSPORT_KINDS][KINDS] = {
	[LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS] = { TAKEN, TWICE, CHANGED, CHANGED,
						     NO_POST, NO_DELETE },
	[LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS] = { TAKEN, CHANGED, TWICE,
							    CHANGED, TAKEN, NO_DELETE },
	[LINK__TRANSPORT__TRANSPORT_LONG_POLLING] = { TAKEN, CHANGED, CHANGED, TAKEN,
						      TAKEN, TAKEN },
};

/* Who is here: by what transport; `transport` is NULL while a stateful connection waits
 * for its next one. `ops` NULL: the id is not here. */
struct held {
	const struct transport_ops *ops;
	struct transport *transport;
};

static struct held find(const struct gateway *gateway, const struct hub *hub,
			struct slice id)
{
	const struct conn *conn = gateway_conn_find(gateway, id);
	struct held held = { .ops = NULL };

	if (conn != NULL && conn->hub == hub && conn->state != CONN_CLOSED) {
		held.ops = conn->ops;
		held.transport = conn->transport;
		return held;
	}
	held.transport = lp_host_find(gateway->lp, hub, id);
	held.ops = held.transport != NULL ? held.transport->ops : NULL;
	return held;
}

bool request_is_here(const struct gateway *gateway, const struct hub *hub,
		     struct slice id)
{
	return find(gateway, hub, id).ops != NULL;
}

bool request_is_early(const struct gateway *gateway, struct slice id)
{
	const struct conn *conn = gateway_conn_find(gateway, id);

	return conn != NULL && conn->state == CONN_OPEN && conn_is_arriving(conn);
}

static void spend(struct gateway *gateway, struct spent *spent, struct slice id,
		  int64_t fresh_until_s)
{
	if (!spent_add(spent, id.ptr, fresh_until_s, loop_unix_ms(gateway->loop) / 1000))
		gateway->metrics.spent_forgotten_total++;
}

void request_spend_id(struct gateway *gateway, struct slice id, int64_t fresh_until_s)
{
	spend(gateway, &gateway->spent, id, fresh_until_s);
}

void request_saw_elsewhere(struct gateway *gateway, struct slice id,
			   int64_t fresh_until_s)
{
	if (!spent_has(&gateway->elsewhere, id))
		spend(gateway, &gateway->elsewhere, id, fresh_until_s);
}

bool request_was_elsewhere(const struct gateway *gateway, struct slice id)
{
	return spent_has(&gateway->elsewhere, id);
}

static void carry_out(struct transport *transport, Link__RequestKind kind,
		      struct slice body, struct reply *reply)
{
	switch (kind) {
	case LINK__REQUEST_KIND__REQUEST_KIND_POLL:
		transport_lp_poll(transport, reply);
		break;
	case LINK__REQUEST_KIND__REQUEST_KIND_POST:
		inbox_post(transport->ops->inbox(transport), body, reply);
		break;
	case LINK__REQUEST_KIND__REQUEST_KIND_DELETE:
		reply_answer(reply, 202, SLICE(""));
		transport_lp_delete(transport);
		break;
	case LINK__REQUEST_KIND__REQUEST_KIND_NONE:
	case LINK__REQUEST_KIND__REQUEST_KIND_WEB_SOCKET:
	case LINK__REQUEST_KIND__REQUEST_KIND_EVENTS:
	case LINK__REQUEST_KIND__REQUEST_KIND_GONE:
	case LINK__REQUEST_KIND__REQUEST_KIND_POLL_AGAIN:
		assert(false); /* no connection takes them */
		break;
	}
}

void request_handle(struct gateway *gateway, struct hub *hub, struct slice id,
		    Link__RequestKind kind, struct slice body, struct reply *reply)
{
	const struct held held = find(gateway, hub, id);
	const struct refusal *refusal;

	assert(kind > LINK__REQUEST_KIND__REQUEST_KIND_NONE && (size_t)kind < KINDS);
	if (held.ops == NULL) {
		reply_answer(reply, 404, SLICE(REQUEST_ID_UNKNOWN));
		return;
	}
	refusal = &refusals[held.ops->kind][kind];
	if (refusal->status == 0) {
		carry_out(held.transport, kind, body, reply);
		return;
	}
	if (refusal->status == 409)
		gateway->metrics.id_taken_total++;
	reply_answer(reply, refusal->status, slice_from_str(refusal->text));
}
