/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub as the gateway sees it: a name in the URL and the connections on it. What it does
 * is the routers' business.
 */
#ifndef GATEWAY_HUB_H
#define GATEWAY_HUB_H

#include "gateway/hub_conf.h"
#include "proto/base/list.h"
#include "proto/base/slice.h"

struct sweep;

struct hub {
	const char *name; /* borrowed from the configuration, as `conf`; lower case */
	const struct hub_conf *conf;
	struct list conns; /* the open ones, by conn->hub_node */
	size_t conns_n;
	struct sweep *sweep; /* of sweep.c; NULL: none is active */
	uint32_t serial;     /* sweep.h */
};

struct hubs {
	struct hub *items; /* owned */
	size_t n;
};

/* One for each scope of the configuration, which outlives them. */
void hubs_init(struct hubs *hubs, const struct conf_scoped *confs);
void hubs_fini(struct hubs *hubs);

/* By name, as in a URL: without regard to case. NULL: no such hub. */
struct hub *hubs_find(const struct hubs *hubs, struct slice name);

/* By the path of a request, decoded: the hub at it or, of several, nearest above it, and
 * what follows the hub's own path, "" or "/...". NULL: none. */
struct hub *hubs_route(const struct hubs *hubs, struct slice path, struct slice *rest);

#endif
