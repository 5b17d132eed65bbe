/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence is told: who connected, who left, and that this gateway lives. All its
 * replicas hear the last (replicas.h), its home alone the rest. Presence may be away;
 * nothing waits for it and nothing is kept for it: the next home gets a replay.
 */
#ifndef GATEWAY_PRESENCE_H
#define GATEWAY_PRESENCE_H

#include "gateway/gateway.h"

void presence_open(struct gateway *gateway);
void presence_close(struct gateway *gateway);

void presence_opened(const struct conn *conn);
void presence_closed(const struct conn *conn);

/* ---- for replay.c, to the home */

MUST_CHECK enum err presence_replay_opened(struct conn *conn, struct link_peer *home);
MUST_CHECK enum err presence_replayed(struct gateway *gateway, struct link_peer *home,
				      const Link__Replayed *replayed);

#endif
