/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of events in the store's stream: when the stream began, and a number that rises by
 * one with each event, so that a gap is seen. Redis writes "1700000000000-7"; we tell
 * "01700000000000-0000000007", whose order is that of its bytes. Pure.
 */
#ifndef PRESENCE_STORE_EVENT_ID_H
#define PRESENCE_STORE_EVENT_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define EVENT_ID_BYTES 25

struct event_id {
	int64_t start;
	int64_t number;
};

/* With a NUL behind it. */
struct event_id_text {
	char bytes[EVENT_ID_BYTES + 1];
};

struct event_id_text event_id_text(struct event_id id);

/* What event_id_text() made. ERR_ARGUMENT. */
MUST_CHECK enum err event_id_parse(struct slice text, struct event_id *id);

/* What Redis says. ERR_MALFORMED. */
MUST_CHECK enum err event_id_decode(struct slice text, struct event_id *id);

/* What follows `id` without a gap. */
bool event_id_is_next(struct event_id id, struct event_id next);

#endif
