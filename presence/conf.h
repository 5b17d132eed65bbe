/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presence's options: one table in conf.c, and the struct it fills.
 */
#ifndef PRESENCE_CONF_H
#define PRESENCE_CONF_H

#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/proc.h"
#include "proto/base/redis_conf.h"
#include "proto/link/link_conf.h"

struct presence_conf {
	struct proc_conf proc;
	struct link_conf link;
	char *link_listen;
	char *admin_listen;
	char *admin_token_file;
	char *admin_tls_cert;
	char *admin_tls_key;
	char *admin_tls_client_ca;
	int64_t admin_body_max;
	int64_t events_watchers_max;
	int64_t events_queue_max;
	int64_t sessions_max;
	struct redis_conf redis;
	int64_t redis_queue_max;
	int64_t offline_grace_ms;
	int64_t events_max;
	int64_t page_max;
	int64_t commands_max;
	int64_t command_timeout_ms;
	char *routers;
	int64_t reshard_timeout_ms;
};

extern const struct conf_table presence_conf_table;

#endif
