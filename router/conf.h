/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router's options: one table in conf.c, and the struct it fills.
 */
#ifndef ROUTER_CONF_H
#define ROUTER_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/proc.h"
#include "proto/link/link_conf.h"

struct router_conf {
	struct proc_conf proc;
	struct link_conf link;
	char *routers;
	char *link_listen;
	char *presence;
	char *admin_listen;
	char *hubs;
	bool is_detailed;
	int64_t hub_calls_max;
	int64_t hub_await_timeout_ms;
	int64_t hub_slow_ms;
	int64_t conn_calls_max;
	int64_t rebuild_wait_ms;
	int64_t rebuild_timeout_ms;
	int64_t rebuild_bytes_max;
	int64_t journal_keys_max;
	int64_t journal_bytes_max;
};

extern const struct conf_table router_conf_table;

#endif
