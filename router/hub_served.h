/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub as this router serves it: the module, and what belongs to it here.
 */
#ifndef ROUTER_HUB_SERVED_H
#define ROUTER_HUB_SERVED_H

#include "proto/base/map.h"
#include "router/hub.h"
#include "router/hub_conf.h"

/* An option of the module's own; which field counts follows from its type. */
struct hub_option_value {
	int64_t number;
	bool is_on;
	char *text; /* owned */
};

struct hub_served {
	const struct hub_module *module;  /* borrowed */
	const struct hub_conf *conf;	  /* borrowed from the router's */
	struct map users;		  /* hub_user.c: by user id */
	struct hub_option_value *options; /* owned; hub_option.c: as the module's table */
	size_t counters; /* its first in the router's metrics.hub_counted */
};

#endif
