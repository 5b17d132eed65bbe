/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of the admin API. Pure: appends JSON for what it is given.
 */
#ifndef PRESENCE_ADMIN_JSON_H
#define PRESENCE_ADMIN_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "presence/lease.h"
#include "presence/store.h"
#include "proto/base/buf.h"

struct admin_stats {
	size_t users;
	size_t connections;
	size_t gateways;
	size_t routers;
	int64_t uptime_ms;
	bool is_settled;
};

void admin_json_stats(struct buf *out, const struct admin_stats *stats);

/* The answers of the store's list, user and connection. */
void admin_json_users(struct buf *out, const struct store_answer *answer);
void admin_json_user(struct buf *out, const struct store_answer *answer);
void admin_json_connection(struct buf *out, const struct store_answer *answer);

void admin_json_processes(struct buf *out, const struct leases *leases, int64_t now_ms);

/* RFC 9457. `status` is one that the API answers; `detail` is for people. */
void admin_json_problem(struct buf *out, int status, const char *detail);

#endif
