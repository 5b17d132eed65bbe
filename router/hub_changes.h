/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): waiting for the fields of hub_state.h to change.
 *
 *	while (rc == HUB_OK || rc == HUB_ETIMEDOUT) {
 *		hub_scratch(call);
 *		rc = hub_await_changes(call, key, after, 30000, &changes);
 *		after = changes.after;
 *		...
 *	}
 */
#ifndef ROUTER_HUB_CHANGES_H
#define ROUTER_HUB_CHANGES_H

#include "router/hub_state.h"

#define HUB_CHANGES_MAX 16u	 /* fields at once */
#define HUB_CHANGES_MS_MAX 60000 /* one wait */

struct hub_changes {
	const struct hub_field *fields; /* the one put longest ago first */
	size_t n;
	uint64_t after;	  /* for the next call: the version of the last of these */
	uint64_t version; /* the newest of the key: above `after` there is more */
};

/*
 * The fields whose versions are above `after` (0: all), each once, as it is now: who asks
 * seldom misses values in between, never the last one. No version is as high as
 * UINT64_MAX: above that there is none. If there is none it waits, `timeout_ms` at the
 * longest (HUB_CHANGES_MS_MAX), then HUB_ETIMEDOUT; 0 or less: it does not wait, and
 * there may be none. Fields that were removed are not told. HUB_EUNAVAILABLE, HUB_ELIMIT
 * (state_waits_max): ask again later with the same `after`, which is in `changes` then,
 * too.
 */
enum hub_rc hub_await_changes(struct hub_call *call, struct slice key, uint64_t after,
			      int64_t timeout_ms, struct hub_changes *changes);

#endif
