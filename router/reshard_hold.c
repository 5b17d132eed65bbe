/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept packed, with the number of its ask: who asked may have given up meanwhile.
 */
#include "router/reshard_hold.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "router/route.h"
#include "router/router.h"

struct held_send {
	struct list node;
	uint64_t call;
	size_t len;
	uint8_t packed[];
};

void reshard_hold_init(struct reshard_hold *hold)
{
	hold->bytes = 0;
	list_init(&hold->sends);
}

static void held_free(struct reshard_hold *hold, struct held_send *held)
{
	hold->bytes -= held->len;
	list_remove(&held->node);
	mem_free(held);
}

void reshard_hold_fini(struct reshard_hold *hold)
{
	LIST_EACH (node, &hold->sends)
		held_free(hold, CONTAINER_OF(node, struct held_send, node));
}

/* Behind those that wait already, too. */
bool reshard_must_hold(const struct router *router, const Link__Send *send)
{
	if (router->asks.old_sends_n == 0 && list_is_empty(&router->reshard.hold.sends))
		return false;
	return send->kind != LINK__KIND__KIND_ALL &&
	       shard_moves(router, link_slice(send->hub), send->kind,
			   link_slice(send->name));
}

enum err reshard_hold_send(struct router *router, const Link__Send *send,
			   const struct ask *ask)
{
	struct reshard_hold *hold = &router->reshard.hold;
	const size_t len = link__send__get_packed_size(send);
	struct held_send *held;

	if (hold->bytes + len > (size_t)router->conf->shards_hold_bytes_max) {
		router->metrics.shards_hold_refused_total++;
		return ERR_LIMIT;
	}
	held = mem_alloc(sizeof(*held) + len);
	*held = (struct held_send){ .call = ask->number, .len = len };
	link__send__pack(send, held->packed);
	list_init(&held->node);
	list_append(&hold->sends, &held->node);
	hold->bytes += len;
	router->metrics.shards_held_total++;
	return OK;
}

/* What was packed here unpacks. */
static void release(struct router *router, const struct held_send *held)
{
	struct ask *ask = asks_find(&router->asks, held->call);
	Link__Send *send;

	if (ask == NULL)
		return;
	send = link__send__unpack(NULL, held->len, held->packed);
	assert(send != NULL);
	route_send(router, send, ask);
	link__send__free_unpacked(send, NULL);
}

void reshard_hold_fail(struct router *router)
{
	const struct ask_answer answer = { .rc = ERR_OUTCOME };
	struct reshard_hold *hold = &router->reshard.hold;
	struct list sends;
	struct list *node;

	list_init(&sends);
	list_splice(&sends, &hold->sends);
	while ((node = list_shift(&sends)) != NULL) {
		struct held_send *held = CONTAINER_OF(node, struct held_send, node);

		asks_answer(&router->asks, held->call, &answer);
		held_free(hold, held);
	}
}

/* Not all of them are of the list any more while they leave: none is held again. */
void reshard_hold_look(struct router *router)
{
	struct reshard_hold *hold = &router->reshard.hold;
	struct list sends;
	struct list *node;

	if (router->asks.old_sends_n > 0 || list_is_empty(&hold->sends))
		return;
	list_init(&sends);
	list_splice(&sends, &hold->sends);
	while ((node = list_shift(&sends)) != NULL) {
		struct held_send *held = CONTAINER_OF(node, struct held_send, node);

		release(router, held);
		held_free(hold, held);
	}
}
