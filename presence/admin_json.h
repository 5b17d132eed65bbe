/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of the admin API. Pure: appends JSON for what it is given. Names and shapes
 * are those of presence/openapi.json.
 */
#ifndef PRESENCE_ADMIN_JSON_H
#define PRESENCE_ADMIN_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "presence/lease.h"
#include "presence/store.h"
#include "proto/base/buf.h"
#include "proto/link/link.h"

/* The answers of the store's list and user. */
void admin_json_users(struct buf *out, const struct store_answer *answer, size_t total);
void admin_json_user(struct buf *out, const struct store_answer *answer);

/* A connection, whose object admin_json_groups_of() ends: with its groups, or without,
 * when nobody told (NULL). */
void admin_json_connection(struct buf *out, const struct session_info *info);
void admin_json_groups_of(struct buf *out, const Link__CommandDone *done);

/* Elements of the array "groups". */
void admin_json_groups(struct buf *out, const Link__CommandDone *done);

/* A group with a page of its members. */
void admin_json_group(struct buf *out, struct slice hub, struct slice name,
		      const Link__CommandDone *done);

void admin_json_processes(struct buf *out, const struct leases *leases, int64_t now_ms);

/* "gateway", "router", "presence". */
struct slice admin_json_role(int role);

/* The member "incarnation": text, because a number of 64 bits does not survive every
 * reader. */
void admin_json_incarnation(struct buf *out, uint64_t incarnation);

#endif
