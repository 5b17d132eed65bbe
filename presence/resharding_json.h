/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How it stands with routers that come and go: the member `shardMap` of
 * GET /api/v1/cluster, and the body of GET /api/v1/cluster/routers. Appends only.
 */
#ifndef PRESENCE_RESHARDING_JSON_H
#define PRESENCE_RESHARDING_JSON_H

#include "presence/resharding.h"
#include "proto/base/buf.h"

/* An object; without a key, all there is. */
void resharding_json(struct buf *out, const char *key,
		     const struct resharding *resharding);

#endif
