/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of tickets that no acknowledgement will come for: what was sent may have been
 * handled, what was not certainly was not.
 */
#include "proto/link/session_ticket.h"

void session_ticket_init(struct session_ticket *ticket, session_ticket_fn *fn)
{
	list_init(&ticket->node);
	ticket->seq = 0;
	ticket->fn = fn;
}

void session_ticket_cancel(struct session_ticket *ticket)
{
	list_remove(&ticket->node);
}

void session_tickets_lose(struct list *tickets, uint64_t tried_seq)
{
	struct list *node;

	while ((node = list_shift(tickets)) != NULL) {
		struct session_ticket *ticket =
			CONTAINER_OF(node, struct session_ticket, node);

		ticket->fn(ticket, ticket->seq <= tried_seq ? ERR_OUTCOME : ERR_CLOSED);
	}
}
