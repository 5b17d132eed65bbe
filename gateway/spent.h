/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids whose token has opened a connection here and is still fresh: once that connection
 * has ended, the token must not open another one under its id. Pure: time comes in.
 */
#ifndef GATEWAY_SPENT_H
#define GATEWAY_SPENT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/conn.h"
#include "proto/base/list.h"
#include "proto/base/map.h"

/* Past it the oldest id is forgotten early: it could be opened again. */
#define SPENT_MAX 65536

struct spent {
	struct map ids;
	struct list order;
};

void spent_init(struct spent *spent, uint64_t seed);
void spent_fini(struct spent *spent);

/* Until that second included. Returns false when another one had to be forgotten for it.
 * The id must not be there. */
bool spent_add(struct spent *spent, const char id[CONN_ID_LEN], int64_t until_s,
	       int64_t now_s);

/* Its connection goes on elsewhere. */
void spent_remove(struct spent *spent, struct slice id);

/* It was added, and nobody has come since its second to clear it away. */
bool spent_has(const struct spent *spent, struct slice id);

#endif
