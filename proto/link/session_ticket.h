/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket follows one message of a session and tells, once, what became of it. It is
 * embedded in whatever its owner must remember until then; CONTAINER_OF leads back.
 */
#ifndef PROTO_LINK_SESSION_TICKET_H
#define PROTO_LINK_SESSION_TICKET_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/list.h"

struct session_ticket;

/*
 * What became of a message. OK: the peer's handler has run. ERR_OUTCOME: it was sent and
 * the peer was lost. ERR_CLOSED: it was never sent and is void. Called once; the ticket
 * is free for use again before the call, which may send.
 */
typedef void session_ticket_fn(struct session_ticket *ticket, enum err rc);

struct session_ticket {
	struct list node;
	uint64_t seq;
	session_ticket_fn *fn;
};

void session_ticket_init(struct session_ticket *ticket, session_ticket_fn *fn);

/* Takes it back before it was called; harmless otherwise. */
void session_ticket_cancel(struct session_ticket *ticket);

static inline bool session_ticket_is_waiting(const struct session_ticket *ticket)
{
	return list_is_linked(&ticket->node);
}

/* Calls all, in order, and empties the list: those up to `tried_seq` had been sent. */
void session_tickets_lose(struct list *tickets, uint64_t tried_seq);

#endif
