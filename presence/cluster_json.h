/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the cluster is, as processes report it: the bodies of GET /api/v1/stats and
 * /api/v1/cluster. Appends only.
 */
#ifndef PRESENCE_CLUSTER_JSON_H
#define PRESENCE_CLUSTER_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "presence/report.h"
#include "proto/base/buf.h"

struct leases;
struct presence;

/* The figures of the whole; users and connections are what the store last told. */
void cluster_json_stats(struct buf *out, const struct presence *presence, size_t users,
			size_t connections);

/* The figures of the last minutes, the oldest first. */
void cluster_json_history(struct buf *out, const struct presence *presence);

/* Every process, every shard, the largest groups. */
void cluster_json(struct buf *out, struct presence *presence);

/* What all gateways' clients say and hear, and how long their invocations take. */
struct report_sum cluster_json_sum(const struct leases *leases, int64_t now_ms);

#endif
