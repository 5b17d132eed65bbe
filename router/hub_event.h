/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message for clients, whoever sends it: hub methods, and people through the admin API.
 * It is encoded once and travels as bytes to every receiver.
 */
#ifndef ROUTER_HUB_EVENT_H
#define ROUTER_HUB_EVENT_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"
#include "proto/link/link.h"

struct ask;
struct router;
struct value;

#define HUB_EVENT_PAYLOADS_MAX 2

struct hub_event {
	struct buf frames[HUB_EVENT_PAYLOADS_MAX]; /* owned */
	Link__Payload payloads[HUB_EVENT_PAYLOADS_MAX];
	size_t n;
};

/* All of it is borrowed. */
struct hub_receivers {
	struct slice hub;
	Link__Kind kind;
	struct slice name;	       /* of the group, user or connection */
	ProtobufCBinaryData *excluded; /* connection ids */
	size_t excluded_n;
	bool must_exist;   /* when nobody has the key the ask is told ERR_NOT_FOUND */
	bool is_shard_ack; /* the ask waits for the key's owner, not for gateways */
};

/* `arguments` is an array. */
void hub_event_init(struct hub_event *event, struct slice target,
		    const struct value *arguments);
void hub_event_fini(struct hub_event *event);

/* Takes it to the owner of the key; `ask` as in route_send(). */
void hub_event_send(struct hub_event *event, struct router *router,
		    const struct hub_receivers *to, struct ask *ask);

/* JSON loses nothing of it. */
bool hub_is_json_enough(const struct value *value);

#endif
