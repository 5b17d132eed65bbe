/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reasons are many here and three there: all that is neither a deadline's nor our own end
 * is a normal closure, errors included, as with ASP.NET Core.
 */
#include "gateway/meter.h"

#include <assert.h>

static enum meter_status status_of(enum conn_close_reason reason)
{
	switch (reason) {
	case CONN_CLOSE_TIMEOUT:
		return METER_TIMEOUT;
	case CONN_CLOSE_SHUTDOWN:
		return METER_SHUTDOWN;
	case CONN_CLOSE_CLIENT:
	case CONN_CLOSE_TRANSPORT:
	case CONN_CLOSE_HANDSHAKE:
	case CONN_CLOSE_ABORTED:
	case CONN_CLOSE_CONNECT:
	case CONN_CLOSE_PROTOCOL:
	case CONN_CLOSE_TOO_LARGE:
	case CONN_CLOSE_SLOW:
	case CONN_CLOSE_MEMORY:
	case CONN_CLOSE_BUSY:
	case CONN_CLOSE_EXPIRED:
	case CONN_CLOSE_FENCED:
	case CONN_CLOSE_MOVED:
	case CONN_CLOSE_COUNT:
		break;
	}
	return METER_NORMAL;
}

void meter_start(struct meter *meter, Link__Transport transport)
{
	assert(transport > 0 && transport < TRANSPORT_KINDS);
	meter->active[transport]++;
}

void meter_stop(struct meter *meter, Link__Transport transport,
		enum conn_close_reason reason, bool is_overdue, int64_t lasted_ms)
{
	const enum meter_status status = is_overdue ? METER_TIMEOUT : status_of(reason);

	assert(transport > 0 && transport < TRANSPORT_KINDS);
	assert(meter->active[transport] > 0);
	meter->active[transport]--;
	lifetimes_add_us(&meter->durations[status][transport],
			 lasted_ms > 0 ? (uint64_t)lasted_ms * 1000 : 0);
}
