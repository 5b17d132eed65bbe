/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In COMMIT what is sent to a key that moves goes another way than what was sent before.
 * So that it does not overtake, it is held, in order, until all that went the old way is
 * answered. Bounded: shards_hold_bytes_max.
 */
#ifndef ROUTER_RESHARD_HOLD_H
#define ROUTER_RESHARD_HOLD_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/link/link.h"

struct ask;
struct reshard_hold;
struct router;

void reshard_hold_init(struct reshard_hold *hold);
void reshard_hold_fini(struct reshard_hold *hold);

/* Must this one wait? */
bool reshard_must_hold(const struct router *router, const Link__Send *send);

/* Keeps a copy; when the ask is over before its turn comes, it never leaves. ERR_LIMIT:
 * there is no room. */
MUST_CHECK enum err reshard_hold_send(struct router *router, const Link__Send *send,
				      const struct ask *ask);

/* None of them leaves: ERR_OUTCOME. */
void reshard_hold_fail(struct router *router);

/* All of them leave, if nothing goes the old way any more. */
void reshard_hold_look(struct router *router);

#endif
