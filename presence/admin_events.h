/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /api/v1/events: who comes and goes, as Server-Sent Events. A watcher is a socket
 * that was taken over from HTTP, with a place in the feed (feed.h).
 */
#ifndef PRESENCE_ADMIN_EVENTS_H
#define PRESENCE_ADMIN_EVENTS_H

#include "proto/base/buf.h"

struct admin;
struct store_event;

/* One event as it stands in the stream. */
void admin_event_write(struct buf *out, const struct store_event *event);

/* Ends all watchers. */
void admin_events_close(struct admin *admin);

#endif
