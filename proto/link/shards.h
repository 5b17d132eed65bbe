/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router shards of the cluster and which of them owns a key. Every process is given
 * the same list, "r1=tcp://10.0.0.1:7000,r2=tcp://10.0.0.2:7000"; owners follow from the
 * names alone, not from addresses or order.
 */
#ifndef PROTO_LINK_SHARDS_H
#define PROTO_LINK_SHARDS_H

#include "proto/base/err.h"
#include "proto/base/slice.h"
#include "proto/link/ring.h"

struct shard {
	char *name; /* owned */
	char *url;  /* owned */
};

struct shards {
	struct shard *items; /* owned; sorted by name */
	size_t n;
	struct ring ring;
};

/*
 * A name with a range stands for many: "r{1..3}=tcp://r{}.lan:7000" is three, and each {}
 * of the address is the number. "r{0..<3}" ends before 3: three as well, from 0 on.
 *
 * Parses the list into `shards`, which the caller ends with shards_fini() in any case.
 * ERR_MALFORMED (no "name=url", or no name as in link_name.h), ERR_EXISTS (a name twice),
 * ERR_LIMIT (too many).
 */
MUST_CHECK enum err shards_parse(struct shards *shards, const char *list);
void shards_fini(struct shards *shards);

/* What places a key on the ring; kinds are Link__Kind's numbers. */
uint64_t shards_hash(struct slice hub, int kind, struct slice name);

/* The index of the shard that owns (hub, kind, name). */
size_t shards_owner(const struct shards *shards, struct slice hub, int kind,
		    struct slice name);

/* The index of the shard of that name, or -1. */
ptrdiff_t shards_find(const struct shards *shards, struct slice name);

#endif
