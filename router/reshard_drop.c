/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table after the other, by map_scan(). A group with more members than a piece takes
 * is visited again.
 */
#include "router/reshard_drop.h"

#include "router/conn_standby.h"
#include "router/hub_runtime.h"
#include "router/router.h"

/* What one turn looks at or frees. */
#define PIECE_WORK 2048

struct piece {
	struct router *router;
	size_t work;
	bool is_short; /* something is left of a group */
};

static void on_group(struct map_node *node, void *owner)
{
	struct group *group = CONTAINER_OF(node, struct group, node);
	const struct group_key key = group_key_of(group);
	struct piece *piece = owner;
	struct router *router = piece->router;

	piece->work++;
	if (shard_is_ours(router, key.hub, (Link__Kind)key.kind, key.name))
		return;
	if (group->members_n <= PIECE_WORK)
		router->metrics.shards_dropped_groups_total++;
	else
		piece->is_short = true;
	piece->work += group_drop(&router->groups, group, PIECE_WORK);
}

static void on_conn(struct map_node *node, void *owner)
{
	struct conn *conn = CONTAINER_OF(node, struct conn, node);
	struct piece *piece = owner;

	piece->work++;
	if (shard_is_ours(piece->router, hub_served_name(conn->hub),
			  LINK__KIND__KIND_CONNECTION, conn->id))
		return;
	piece->router->metrics.shards_dropped_conns_total++;
	conn_drop(conn);
}

static void on_claim(struct map_node *node, void *owner)
{
	struct piece *piece = owner;

	piece->work++;
	if (claim_drop_moved(piece->router, node))
		piece->router->metrics.shards_dropped_claims_total++;
}

static void scan(struct router *router, struct piece *piece)
{
	struct reshard *reshard = &router->reshard;

	switch (reshard->walk) {
	case RESHARD_GROUPS:
		reshard->cursor = map_scan(&router->groups.groups, reshard->cursor,
					   on_group, piece);
		break;
	case RESHARD_CONNS:
		reshard->cursor =
			map_scan(&router->conns, reshard->cursor, on_conn, piece);
		break;
	case RESHARD_CLAIMS:
		reshard->cursor =
			map_scan(&router->claims.by_id, reshard->cursor, on_claim, piece);
		break;
	case RESHARD_WALKED:
		break;
	}
}

int64_t reshard_drop_piece(struct router *router)
{
	struct reshard *reshard = &router->reshard;
	struct piece piece = { .router = router };

	do {
		scan(router, &piece);
		piece.work++;
		reshard->is_short |= piece.is_short;
	} while (reshard->cursor != 0 && piece.work < PIECE_WORK);
	if (reshard->cursor == 0 && !reshard->is_short)
		reshard->walk++;
	if (reshard->cursor == 0)
		reshard->is_short = false;
	return 0;
}
