/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub as the gateway sees it: a name in the URL and the connections on it. What it does
 * is the routers' business.
 */
#ifndef GATEWAY_HUB_H
#define GATEWAY_HUB_H

#include "proto/base/list.h"
#include "proto/base/slice.h"

struct hub {
	char *name;	   /* owned; lower case */
	struct list conns; /* the open ones, by conn->hub_node */
	size_t conns_n;
};

struct hubs {
	struct hub *items; /* owned */
	size_t n;
};

/* From "relay,chat". Ends the program on a bad list: it is a start-up option. */
void hubs_init(struct hubs *hubs, const char *list);
void hubs_fini(struct hubs *hubs);

/* By name, as in a URL: without regard to case. NULL: no such hub. */
struct hub *hubs_find(const struct hubs *hubs, struct slice name);

#endif
