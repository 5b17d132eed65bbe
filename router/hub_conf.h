/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of one hub at the router: as the router's own unless "hub.<name>.option" is
 * set. All may change with a reload.
 */
#ifndef ROUTER_HUB_CONF_H
#define ROUTER_HUB_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf_scope.h"

#define HUB_INVOCATIONS_PARALLEL_MAX 1000

/* Who has a call's sends when it is over. */
enum hub_ack { HUB_ACK_GATEWAYS, HUB_ACK_SHARD };

extern const char *const hub_ack_names[];

struct hub_conf {
	bool is_detailed;		  /* detailed_errors */
	int64_t invocations_parallel_max; /* of one client */
	int64_t await_timeout_ms;
	int64_t client_result_timeout_ms;
	int64_t ack; /* enum hub_ack */
};

extern const struct conf_scope hub_conf_scope;

struct router_conf;

/* Is it an option of every hub? Then a module cannot have one of that name. */
bool hub_conf_has(struct slice option);

/* Of a hub that is in `hubs`. */
const struct hub_conf *hub_conf_find(const struct router_conf *conf, const char *hub);

#endif
