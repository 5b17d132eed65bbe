/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence is told: who connected, who left, and that this gateway lives. Presence
 * may be away; nothing waits for it, and its next life gets a replay.
 */
#ifndef GATEWAY_PRESENCE_H
#define GATEWAY_PRESENCE_H

#include "gateway/gateway.h"

void presence_opened(struct conn *conn);
void presence_closed(struct conn *conn);
MUST_CHECK enum err presence_send_opened(const struct conn *conn);

/* Sends the lease and goes on doing so. */
void presence_lease(struct gateway *gateway);
void presence_on_lease_timer(struct timer *timer);

#endif
