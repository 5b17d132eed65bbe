/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ASP.NET Core's meter Microsoft.AspNetCore.Http.Connections counts of a SignalR
 * server, under the names and attributes of OpenTelemetry's semantic conventions as they
 * reach Prometheus, so that dashboards made for one show the other:
 * signalr_server_active_connections and signalr_server_connection_duration_seconds. A
 * connection counts from its first transport on, before the handshake, to its end.
 */
#ifndef GATEWAY_METER_H
#define GATEWAY_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/conn_close.h"
#include "gateway/transport.h"
#include "proto/base/metrics.h"

/* Values of the attribute signalr.connection.status. */
#define METER_STATUS_LIST(X)                                                             \
	X(METER_NORMAL, "normal_closure")                                                \
	X(METER_TIMEOUT, "timeout")                                                      \
	X(METER_SHUTDOWN, "app_shutdown")

enum meter_status {
#define METER_STATUS_ENUM(status, name) status,
	METER_STATUS_LIST(METER_STATUS_ENUM)
#undef METER_STATUS_ENUM
		METER_STATUSES
};

/* By enum Link__Transport; nothing counts at NONE. */
struct meter {
	int64_t active[TRANSPORT_KINDS];
	struct lifetimes durations[METER_STATUSES][TRANSPORT_KINDS];
};

void meter_start(struct meter *meter, Link__Transport transport);

/* `is_overdue`: a deadline ended it, whatever the reason says. Below 0 `lasted_ms` is 0:
 * the clock was set meanwhile. */
void meter_stop(struct meter *meter, Link__Transport transport,
		enum conn_close_reason reason, bool is_overdue, int64_t lasted_ms);

#endif
