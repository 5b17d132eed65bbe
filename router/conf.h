/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's options: one table in conf.c, and the struct it fills.
 */
#ifndef ROUTER_CONF_H
#define ROUTER_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/conf_scope.h"
#include "proto/base/proc.h"
#include "proto/base/redis_conf.h"
#include "proto/link/link_conf.h"

struct router_conf {
	struct proc_conf proc;
	struct link_conf link;
	char *routers;
	char *link_listen;
	char *presence;
	char *admin_listen;
	char *hubs;
	char *hub_module;
	struct conf_scoped hub_confs; /* struct hub_conf of each of them */
	bool is_detailed;
	int64_t hub_calls_max;
	int64_t user_calls_max;
	int64_t hub_await_timeout_ms;
	int64_t hub_slow_ms;
	int64_t conn_calls_max;
	int64_t connection_items_bytes_max;
	int64_t invocations_parallel_max;
	int64_t client_result_timeout_ms;
	int64_t ack;
	int64_t claims_max;
	int64_t passes_max;
	int64_t rebuild_wait_ms;
	int64_t rebuild_timeout_ms;
	int64_t shards_hold_bytes_max;
	int64_t rebuild_bytes_max;
	struct redis_conf redis; /* of hub state */
	int64_t state_keys_max;
	int64_t state_bytes_max;
	int64_t state_waits_max;
};

extern const struct conf_table router_conf_table;

#endif
