/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of users and addresses at this worker: what they hold and have done
 * lately. edge_guard.h asks it about requests.
 */
#ifndef GATEWAY_GUARD_H
#define GATEWAY_GUARD_H

#include <stdbool.h>

#include "gateway/address.h"
#include "gateway/guard_reason.h"
#include "gateway/rate.h"

struct conn;
struct gateway;
struct user;

/* Part of the gateway. */
struct guard {
	struct rate_table addresses;
	struct rate_table users;
};

/* `forgotten` counts, early, who is no longer remembered; borrowed. */
void guard_init(struct guard *guard, uint64_t seed, uint64_t *forgotten);

/* All connections must have left. */
void guard_fini(struct guard *guard);

/* One connection more? False: counted, for the caller to answer 429. */
bool guard_has_room(struct gateway *gateway, const struct address *address,
		    const struct user *user);
void guard_enter(struct conn *conn, const struct address *address);
void guard_leave(struct conn *conn);

#endif
