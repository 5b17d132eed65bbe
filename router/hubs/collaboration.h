/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the hub collaboration share: the methods (collaboration.c), a
 * document's text (document.c), who is in it (participant.c) and its sections
 * (section.c).
 */
#ifndef ROUTER_HUBS_COLLABORATION_H
#define ROUTER_HUBS_COLLABORATION_H

#include "router/hub.h"

#ifndef COLLABORATION_METHODS
#define COLLABORATION_TYPES_ONLY
#endif
#include "router/hubs/collaboration.gen.h"

/* Of the id of a document, an operation or a lock. */
#define COLLABORATION_ID_BYTES_MAX 256
#define COLLABORATION_GROUP_PREFIX "doc-"

/* The hub's options, in the order of their table. */
enum collaboration_option {
	COLLABORATION_DOCUMENT_LENGTH_MAX,
	COLLABORATION_INSERT_LENGTH_MAX,
	COLLABORATION_OPERATIONS_MAX,
	COLLABORATION_SNAPSHOT_OPERATIONS,
	COLLABORATION_DOCUMENT_TTL,
	COLLABORATION_SECTIONS_MAX,
	COLLABORATION_SECTION_TTL,
	COLLABORATION_ROLES_WANTED,
};

/* Its counters, likewise. */
enum collaboration_counter {
	COLLABORATION_OPERATIONS,
	COLLABORATION_CONFLICTS,
	COLLABORATION_REFUSED,
	COLLABORATION_SNAPSHOTS,
};

static inline struct slice collaboration_group(struct hub_call *call,
					       struct slice document_id)
{
	return hub_concat(call, SLICE(COLLABORATION_GROUP_PREFIX), document_id);
}

#endif
