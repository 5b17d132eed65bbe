/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of a worker as a whole; those on users and addresses are in guard.c.
 */
#include "gateway/room.h"

#include "gateway/gateway.h"

/* With those that close, whose connections are gone: they still have sockets. */
static int64_t transports_n(const struct gateway *gateway)
{
	return gateway->metrics.ws_sockets + gateway->metrics.sse_sockets +
	       gateway->metrics.lp_transports;
}

bool room_is_there(const struct gateway *gateway)
{
	const int64_t max = gateway->conf->connections_max;

	return (int64_t)gateway->conns.count < max && transports_n(gateway) < max &&
	       !proc_is_draining(gateway->proc) && gateway_is_known(gateway) &&
	       !memory_is_short(gateway);
}

void room_count_refused(struct gateway *gateway)
{
	if (memory_is_short(gateway))
		gateway->metrics.memory_refused_total++;
	else
		gateway->metrics.connections_refused_total++;
}
