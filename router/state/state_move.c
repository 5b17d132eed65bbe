/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key goes as a whole, over the window if need be, before the next one is looked at: so
 * what comes of it is one run of messages. Questions are held packed.
 */
#include "router/state/state_move.h"

#include <assert.h>
#include <inttypes.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/reshard.h"
#include "router/router.h"
#include "router/state/state_item.h"
#include "router/state/state_owner.h"
#include "router/state/state_table.h"

/* What one turn looks at. */
#define PIECE_KEYS 256
/* A year: longer than anything is kept. */
#define LEFT_MS_MAX (UINT64_C(365) * 86400 * 1000)
/* A link with no room is looked at again. */
#define AGAIN_MS 20

struct held_state {
	struct list node;
	struct link_peer *origin; /* held; NULL: ourselves */
	size_t len;
	uint8_t packed[];
};

/* ---- sending */

static void on_taken(struct session_ticket *ticket, enum err rc)
{
	struct state_moved *moved = CONTAINER_OF(ticket, struct state_moved, ticket);

	/* A router that is lost has lost what it was sent. */
	(void)rc;
	moved->is_taken = true;
	reshard_look(moved->router);
}

void state_moved_init(struct router *router, struct state_moved *moved)
{
	moved->router = router;
	session_ticket_init(&moved->ticket, on_taken);
}

/* Over the window: the session takes it in any case, but for what no link takes. */
static enum err move_send(struct link_peer *to, const Link__StateMove *move,
			  struct session_ticket *ticket)
{
	enum err rc;

	link_peer_replay(to, true);
	rc = link_send_state_move(to, move, ticket);
	link_peer_replay(to, false);
	if (rc != OK)
		log_error("state.not_moved", "peer=%s reason=%s", link_peer_name(to),
			  err_name(rc));
	return rc;
}

/* As many entries as a message takes; returns where it ended. */
static const struct list *entries_fill(const struct state_item *item,
				       const struct list *node, struct arena *arena,
				       Link__StateMove *move)
{
	size_t bytes = 0;

	move->entries = arena_alloc(arena, item->kept_n * sizeof(*move->entries));
	while (node != &item->kept && bytes < STATE_PAGE_BYTES_MAX) {
		const struct state_kept *kept = state_kept_of(node);
		Link__StateEntry *entry = ARENA_NEW(arena, Link__StateEntry);

		link__state_entry__init(entry);
		entry->number = kept->number;
		entry->name = link_bytes(state_kept_name(kept));
		entry->value = link_bytes(state_kept_bytes(kept));
		move->entries[move->n_entries++] = entry;
		bytes += (size_t)kept->name_len + kept->bytes_len;
		node = node->next;
	}
	return node;
}

static void item_send(const struct state_item *item, struct link_peer *to, int64_t now_ms)
{
	const struct list *node = item->kept.next;

	do {
		Link__StateMove move = LINK__STATE_MOVE__INIT;
		struct arena arena = ARENA_INIT;

		move.hub = link_bytes(state_item_hub(item));
		move.key = link_bytes(state_item_key(item));
		move.is_log = item->is_log;
		move.last = item->last;
		move.life = item->life;
		move.left_ms = item->expiry.due_ms > now_ms
				       ? (uint64_t)(item->expiry.due_ms - now_ms)
				       : 0;
		node = entries_fill(item, node, &arena, &move);
		move.is_more = node != &item->kept;
		(void)move_send(to, &move, NULL); /* it has logged */
		arena_fini(&arena);
	} while (node != &item->kept);
}

struct piece {
	struct router *router;
	size_t keys;
};

/* In COMMIT the first owner is the new one, and the second the old one. */
static void on_item(struct map_node *node, void *owner)
{
	struct state_item *item = CONTAINER_OF(node, struct state_item, node);
	struct piece *piece = owner;
	struct router *router = piece->router;
	const struct shard_links *links = &router->shards;
	size_t owners[2];

	piece->keys++;
	if (shard_map_owners(&links->map, state_item_hub(item), LINK__KIND__KIND_GROUP,
			     state_item_key(item), owners) == 1 ||
	    owners[1] != links->self)
		return;
	item_send(item, links->items[owners[0]]->peer, loop_now_ms(router->loop));
	router->metrics.state_moved_total++;
	state_item_free(item);
}

static bool has_room(const struct router *router)
{
	const size_t max = (size_t)router->conf->link.window_bytes_max / 2;

	for (size_t i = 0; i < router->shards.n; i++) {
		const struct shard_link *link = router->shards.items[i];

		if (link != NULL && link_peer_waiting_bytes(link->peer) > max)
			return false;
	}
	return true;
}

static void send_last_to(struct shard_link *link)
{
	Link__StateMove last = LINK__STATE_MOVE__INIT;

	last.is_last = true;
	link->moved.is_taken = move_send(link->peer, &last, &link->moved.ticket) != OK;
}

static void send_last(struct router *router)
{
	router->state_move.is_sending = false;
	for (size_t i = 0; i < router->shards.n; i++) {
		if (router->shards.items[i] != NULL)
			send_last_to(router->shards.items[i]);
	}
}

/* Inside of on_up there is a replay anyway. */
void state_move_on_new(const struct router *router, struct shard_link *link)
{
	Link__StateMove last = LINK__STATE_MOVE__INIT;

	if (router->shards.map.phase != SHARD_PHASE_COMMIT ||
	    router->state_move.is_sending)
		return;
	last.is_last = true;
	session_ticket_cancel(&link->moved.ticket);
	link->moved.is_taken =
		link_send_state_move(link->peer, &last, &link->moved.ticket) != OK;
}

int64_t state_move_piece(struct router *router)
{
	struct state_move *move = &router->state_move;
	struct piece piece = { .router = router };

	do {
		if (!has_room(router))
			return AGAIN_MS;
		move->cursor = map_scan(&router->state.table.items, move->cursor, on_item,
					&piece);
		piece.keys++;
	} while (move->cursor != 0 && piece.keys < PIECE_KEYS);
	if (move->cursor == 0)
		send_last(router);
	return 0;
}

void state_move_stop(struct router *router)
{
	router->state_move.is_sending = false;
	for (size_t i = 0; i < router->shards.n; i++) {
		struct shard_link *link = router->shards.items[i];

		if (link == NULL)
			continue;
		session_ticket_cancel(&link->moved.ticket);
		link->moved.is_taken = false;
	}
}

/* Nothing of this epoch has come from anybody. */
static void links_forget(struct router *router)
{
	for (size_t i = 0; i < router->shards.n; i++) {
		struct shard_link *link = router->shards.items[i];

		if (link == NULL)
			continue;
		link->has_moved_state = false;
		link->is_moving_state = false;
		link->is_too_late = false;
		link->late_n = 0;
	}
}

/* Also of those who were lost before: they have kept things since. */
void state_move_begin(struct router *router)
{
	state_move_stop(router);
	links_forget(router);
	router->state_move.cursor = 0;
	router->state_move.is_sending = true;
}

bool state_move_is_over(const struct router *router)
{
	if (router->redis != NULL)
		return true;
	if (router->state_move.is_sending)
		return false;
	for (size_t i = 0; i < router->shards.n; i++) {
		const struct shard_link *link = router->shards.items[i];

		if (link != NULL && !link->is_dead &&
		    (!link->moved.is_taken || !link->has_moved_state))
			return false;
	}
	return list_is_empty(&router->state_move.held);
}

/* ---- what comes */

/* Somebody was answered without it, in this phase or a later one. */
static bool is_late(const struct router *router, const struct shard_link *from)
{
	const struct shard_map *map = &router->shards.map;

	return map->phase != SHARD_PHASE_COMMIT || from->phase != SHARD_PHASE_COMMIT ||
	       from->epoch != map->epoch || from->is_too_late;
}

static void refuse_late(struct router *router, struct shard_link *from, bool is_last)
{
	if (!is_last) {
		router->metrics.state_late_total++;
		from->late_n++;
	} else if (from->late_n > 0) {
		log_error("state.late", "peer=%s messages=%" PRIu64,
			  link_peer_name(from->peer), from->late_n);
		from->late_n = 0;
	}
}

static void on_last(struct router *router, struct shard_link *from)
{
	from->has_moved_state = true;
	state_move_look(router);
	reshard_look(router);
}

void state_move_on_message(struct router *router, struct shard_link *from,
			   const Link__StateMove *message)
{
	struct state_table *table = &router->state.table;
	const struct state_moving moving = {
		.hub = link_slice(message->hub),
		.key = link_slice(message->key),
		.is_log = message->is_log,
		.is_first = !from->is_moving_state,
		.life = message->life,
	};
	const uint64_t left_ms =
		message->left_ms < LEFT_MS_MAX ? message->left_ms : LEFT_MS_MAX;
	struct state_item *item;

	if (is_late(router, from)) {
		refuse_late(router, from, message->is_last);
		return;
	}
	if (message->is_last) {
		on_last(router, from);
		return;
	}
	if (moving.key.len > HUB_KEY_BYTES_MAX)
		return;
	from->is_moving_state = message->is_more;
	item = state_table_arrive(table, &moving);
	for (size_t i = 0; i < message->n_entries; i++) {
		const Link__StateEntry *entry = message->entries[i];
		const struct state_entry arrived = {
			.number = entry->number,
			.name = link_slice(entry->name),
			.bytes = link_slice(entry->value),
		};

		state_table_arrived(item, &arrived);
	}
	state_table_settle(table, item, message->last,
			   loop_now_ms(router->loop) + (int64_t)left_ms);
	state_owner_watch(router);
}

/* ---- questions that wait */

void state_move_init(struct router *router)
{
	list_init(&router->state_move.held);
}

static void held_free(struct state_move *move, struct held_state *held)
{
	move->held_bytes -= held->len;
	list_remove(&held->node);
	link_peer_release(held->origin);
	mem_free(held);
}

void state_move_fini(struct router *router)
{
	LIST_EACH (node, &router->state_move.held)
		held_free(&router->state_move,
			  CONTAINER_OF(node, struct held_state, node));
}

/* Its old owner, whom we have its state from; NULL: nobody. */
static struct shard_link *mover_of(const struct router *router, struct slice hub,
				   struct slice key)
{
	const struct shard_links *links = &router->shards;
	size_t owners[2];

	if (links->map.phase != SHARD_PHASE_COMMIT || router->redis != NULL ||
	    shard_map_owners(&links->map, hub, LINK__KIND__KIND_GROUP, key, owners) ==
		    1 ||
	    owners[0] != links->self)
		return NULL;
	return links->items[owners[1]];
}

/* Who is answered knows how things stand: nothing may come behind that. */
static bool is_coming(const struct router *router, struct slice hub, struct slice key)
{
	struct shard_link *from = mover_of(router, hub, key);

	if (from == NULL)
		return false;
	from->has_moved_state |= from->is_dead;
	from->is_too_late = from->has_moved_state;
	return !from->has_moved_state;
}

bool state_move_hold(struct router *router, struct link_peer *origin,
		     const Link__State *message)
{
	struct state_move *move = &router->state_move;
	const struct state_answer refused = { .rc = ERR_LIMIT };
	struct held_state *held;
	size_t len;

	if (!is_coming(router, link_slice(message->hub), link_slice(message->key)))
		return false;
	len = link__state__get_packed_size(message);
	if (move->held_bytes + len > (size_t)router->conf->shards_hold_bytes_max) {
		router->metrics.shards_hold_refused_total++;
		state_answer_to(router, origin, message->call, &refused);
		return true;
	}
	held = mem_alloc(sizeof(*held) + len);
	*held = (struct held_state){ .origin = link_peer_hold(origin), .len = len };
	link__state__pack(message, held->packed);
	list_init(&held->node);
	list_append(&move->held, &held->node);
	move->held_bytes += len;
	router->metrics.shards_held_total++;
	return true;
}

/* Those that still wait are held again, in their order. */
void state_move_look(struct router *router)
{
	struct state_move *move = &router->state_move;
	struct list held_all;
	struct list *node;

	list_init(&held_all);
	list_splice(&held_all, &move->held);
	while ((node = list_shift(&held_all)) != NULL) {
		struct held_state *held = CONTAINER_OF(node, struct held_state, node);
		Link__State *message = link__state__unpack(NULL, held->len, held->packed);

		assert(message != NULL); /* it was packed here */
		move->held_bytes -= held->len;
		state_on_state(router, held->origin, message);
		move->held_bytes += held->len;
		link__state__free_unpacked(message, NULL);
		held_free(move, held);
	}
}

void state_move_end(struct router *router)
{
	state_move_stop(router);
	links_forget(router);
	state_move_look(router);
}
