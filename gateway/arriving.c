/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until it has arrived the cluster takes the connection to be the other gateway's, or the
 * router that owns it knows better: so one that is dropped is told to that router alone.
 */
#include "gateway/arriving.h"

#include <assert.h>

#include "gateway/address.h"
#include "gateway/claim.h"
#include "gateway/conn_arrival.h"
#include "gateway/conn_in.h"
#include "gateway/headers.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/presence.h"
#include "gateway/request.h"
#include "gateway/resend.h"
#include "gateway/room.h"
#include "gateway/stateful.h"
#include "gateway/upload.h"
#include "proto/base/mem.h"

/* The other side gives up first, so that it is the one to say so. */
#define PATIENCE 2

struct arriving {
	struct moving moving;
	struct gateway_router *owner; /* borrowed: of the connection */
	struct resend older;	  /* what stands in front of what has come for it here */
	Link__HandoverRest *last; /* owned: came before all routers had cut here */
	struct list joins;	  /* of struct held_join */
	size_t joins_n;
	bool is_given_up; /* the router has said so */
};

struct held_join {
	struct list node;
	struct gateway_router *router; /* borrowed */
	size_t len;
	uint8_t packed[];
};

static struct arriving *arriving_at(struct moving *moving)
{
	return CONTAINER_OF(moving, struct arriving, moving);
}

/* ---- telling */

static enum err tell(struct gateway_router *router, Link__HandoverTaken *taken,
		     enum err rc, bool is_done)
{
	taken->rc = rc;
	taken->is_done = is_done;
	return link_send_handover_taken(router->peer, taken, NULL);
}

static enum err tell_of(const struct arriving *arriving, enum err rc, bool is_done)
{
	const struct conn *conn = arriving->moving.conn;
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;

	taken.hub = link_bytes(slice_from_str(conn->hub->name));
	taken.connection = link_bytes(slice_make(conn->id, CONN_ID_LEN));
	taken.call = arriving->moving.call;
	return tell(arriving->owner, &taken, rc, is_done);
}

/* ---- joins that wait */

enum err arriving_hold_join(struct conn *conn, struct gateway_router *router,
			    const Link__Join *join)
{
	struct moving *moving = moving_of(&conn->gateway->movings.arriving, conn);
	struct arriving *arriving = arriving_at(moving);
	const size_t len = link__join__get_packed_size(join);
	struct held_join *held;

	if (arriving->joins_n == ARRIVING_JOINS_MAX) {
		conn->gateway->metrics.arriving_joins_refused_total++;
		return ERR_LIMIT;
	}
	held = mem_alloc(sizeof(*held) + len);
	held->router = router;
	held->len = link__join__pack(join, held->packed);
	list_init(&held->node);
	list_append(&arriving->joins, &held->node);
	arriving->joins_n++;
	return OK;
}

/* As if they came now; those of a connection that has ended are refused. */
static void joins_release(struct gateway *gateway, struct list *joins)
{
	struct list *node;

	while ((node = list_shift(joins)) != NULL) {
		struct held_join *held = CONTAINER_OF(node, struct held_join, node);
		Link__Join *join = link__join__unpack(NULL, held->len, held->packed);

		assert(join != NULL); /* it was packed here */
		join_on_join(gateway, held->router, join);
		link__join__free_unpacked(join, NULL);
		mem_free(held);
	}
}

/* ---- life */

static void arriving_free(struct arriving *arriving, struct list *joins)
{
	struct gateway *gateway = arriving->moving.conn->gateway;

	list_init(joins);
	list_splice(joins, &arriving->joins);
	gateway->metrics.arrivals--;
	resend_fini(&arriving->older);
	if (arriving->last != NULL)
		link__handover_rest__free_unpacked(arriving->last, NULL);
	moving_fini(&arriving->moving);
	mem_free(arriving);
}

/* Its own timer, or a router that is lost. */
static void on_timer(struct timer *timer)
{
	struct arriving *arriving = CONTAINER_OF(timer, struct arriving, moving.timer);

	conn_close(arriving->moving.conn, CONN_CLOSE_TRANSPORT, NULL);
}

void arriving_on_end(struct conn *conn)
{
	struct moving *moving = moving_of(&conn->gateway->movings.arriving, conn);
	struct arriving *arriving;
	struct list joins;

	if (moving == NULL)
		return;
	arriving = arriving_at(moving);
	conn->gateway->metrics.arrival_failed_total++;
	/* When it finds no room the other side's timer ends it. */
	if (!arriving->is_given_up)
		(void)tell_of(arriving, ERR_OUTCOME, false);
	arriving_free(arriving, &joins);
	joins_release(conn->gateway, &joins);
}

void arrivings_on_lost(const struct gateway_router *router)
{
	struct gateway *gateway = router->gateway;

	LIST_EACH (node, &gateway->movings.arriving) {
		struct arriving *arriving =
			CONTAINER_OF(node, struct arriving, moving.node);

		arriving->is_given_up |= arriving->owner == router;
		loop_timer_start(gateway->loop, &arriving->moving.timer, 0);
	}
}

void arrivings_on_left(const struct gateway_router *router)
{
	arrivings_on_lost(router);
	LIST_EACH (node, &router->gateway->movings.arriving) {
		struct arriving *arriving =
			CONTAINER_OF(node, struct arriving, moving.node);

		LIST_EACH (join_node, &arriving->joins) {
			struct held_join *held =
				CONTAINER_OF(join_node, struct held_join, node);

			if (held->router != router)
				continue;
			list_remove(&held->node);
			mem_free(held);
			arriving->joins_n--;
		}
	}
}

/* ---- the connection */

static struct user *user_of(const Link__Handover *from)
{
	struct slice roles[USER_ROLES_MAX];
	size_t n = 0;
	struct user *user;

	for (; n < from->user->n_roles && n < USER_ROLES_MAX; n++)
		roles[n] = link_slice(from->user->roles[n]);
	if (from->expires_unix_s == 0 && from->user->id.len == 0 &&
	    from->user->claims.len == 0)
		return user_anonymous();
	user = user_new(link_slice(from->user->id), link_slice(from->user->name),
			link_slice(from->user->claims), roles, n);
	user->expires_unix_s = from->expires_unix_s;
	return user;
}

static void enter_guard(struct conn *conn)
{
	struct address address;

	if (address_parse(slice_from_str(conn_remote(conn)), &address) == OK)
		guard_enter(conn, &address);
}

static void fill(struct conn *conn, const Link__Handover *from,
		 struct gateway_router *router)
{
	struct gateway *gateway = conn->gateway;

	conn->agent = intern_take(&gateway->agents, link_slice(from->user_agent));
	conn->headers = headers_from(from);
	conn->opened_unix_ms = from->opened_unix_ms;
	conn->is_pinged = from->is_pinged;
	conn->may_resume = true;
	conn->is_begun = true;
	conn->is_told = from->is_told;
	enter_guard(conn);
	stateful_start(conn);
	for (size_t i = 0; i < from->n_calls; i++)
		invoke_arrive(conn, router, from->calls[i]);
	for (size_t i = 0; i < from->n_uploads; i++)
		upload_arrive(conn, router, from->uploads[i]);
}

static struct conn *conn_of(struct gateway *gateway, struct gateway_router *router,
			    struct hub *hub, const Link__Handover *from)
{
	const struct conn_arrival arrival = {
		.hub = hub,
		.id = link_slice(from->connection),
		.user = user_of(from),
		.remote = link_slice(from->remote),
		.codec = hub_codec((enum hub_protocol)from->protocol),
	};
	struct conn *conn = conn_new_arriving(gateway, &arrival);

	fill(conn, from, router);
	return conn;
}

static enum err check(const struct gateway *gateway, const struct hub *hub,
		      const Link__Handover *from)
{
	if (proc_is_draining(gateway->proc))
		return ERR_CLOSED;
	/* While shards change nobody goes over; who asks does not know it yet. */
	if (!room_is_there(gateway) || gateway->routers.map.phase != SHARD_PHASE_STABLE)
		return ERR_LIMIT;
	if (hub == NULL || !hub->conf->is_stateful)
		return ERR_UNSUPPORTED;
	if (from->user == NULL || from->connection.len != CONN_ID_LEN ||
	    hub_codec((enum hub_protocol)from->protocol) == NULL)
		return ERR_ARGUMENT;
	if (gateway_conn_find(gateway, link_slice(from->connection)) != NULL)
		return ERR_EXISTS;
	return OK;
}

/* As it would have if it had been opened here. */
static void hold(struct gateway *gateway, const struct conn *conn, int64_t fresh_until_s)
{
	const struct slice id = slice_make(conn->id, CONN_ID_LEN);

	claim_keep(gateway, conn->hub, id, fresh_until_s);
	if (fresh_until_s >= loop_unix_ms(gateway->loop) / 1000 &&
	    !spent_has(&gateway->spent, id))
		request_spend_id(gateway, id, fresh_until_s);
}

void arriving_on_handover(struct gateway *gateway, struct gateway_router *router,
			  const Link__Handover *handover)
{
	struct hub *hub = hubs_find(&gateway->hubs, link_slice(handover->hub));
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;
	struct arriving *arriving;
	const enum err rc = check(gateway, hub, handover);

	gateway->metrics.arrival_total++;
	if (rc != OK) {
		gateway->metrics.arrival_refused_total++;
		taken.hub = handover->hub;
		taken.connection = handover->connection;
		taken.call = handover->call;
		/* When it finds no room the other side's timer ends it. */
		(void)tell(router, &taken, rc, false);
		return;
	}
	arriving = MEM_NEW(struct arriving);
	moving_init(&arriving->moving, conn_of(gateway, router, hub, handover),
		    handover->call, on_timer);
	arriving->owner = router;
	resend_init(&arriving->older);
	list_init(&arriving->joins);
	list_append(&gateway->movings.arriving, &arriving->moving.node);
	gateway->metrics.arrivals++;
	hold(gateway, arriving->moving.conn, handover->fresh_until_unix_s);
	loop_timer_start(gateway->loop, &arriving->moving.timer,
			 gateway->conf->handover_timeout_ms * PATIENCE);
	if (tell_of(arriving, OK, false) != OK)
		conn_close(arriving->moving.conn, CONN_CLOSE_TRANSPORT, NULL);
}

/* ---- the rest */

static void take_frames(struct arriving *arriving, const Link__HandoverRest *rest)
{
	for (size_t i = 0; i < rest->n_frames; i++) {
		struct blob *blob;

		if (rest->frames[i].len == 0)
			continue; /* nothing is wrapped in none */
		blob = blob_from(link_slice(rest->frames[i]));
		resend_add(&arriving->older, blob);
		blob_unref(blob);
	}
}

/* Its client may come now. */
static void arrive(struct arriving *arriving, const Link__HandoverRest *rest)
{
	struct conn *conn = arriving->moving.conn;
	struct gateway *gateway = conn->gateway;
	struct list joins;

	/* Each gateway has kept no more than it may; both together may be too much. */
	if (stateful_kept_bytes(conn) > 0 &&
	    stateful_kept_bytes(conn) + arriving->older.bytes >
		    stateful_kept_bytes_max(conn)) {
		conn_close(conn, CONN_CLOSE_SLOW, NULL);
		return;
	}
	stateful_arrive(conn, &arriving->older, rest->first_id, rest->received);
	invoke_arrived(conn, rest);
	uploads_arrived(conn, rest);
	if (rest->is_blocked)
		conn->is_blocked = true;
	conn_unpause(conn, CONN_PAUSE_ARRIVING);
	gateway->metrics.arrival_done_total++;
	/* When it finds no room the other side's timer tells its client to come anew, and
	 * this one waits in vain. */
	(void)tell_of(arriving, OK, true);
	arriving_free(arriving, &joins);
	presence_opened(conn);
	reshard_on_arrived(gateway);
	loop_timer_start(gateway->loop, &conn->timer,
			 gateway->conf->disconnect_timeout_ms);
	joins_release(gateway, &joins);
}

/* The way through its router may be shorter than those of others. */
static bool has_all(const struct arriving *arriving, const Link__HandoverRest *rest)
{
	return arriving->moving.have_cut_n >= rest->routers;
}

/* A copy, with what stands in the buffer of the link. */
static Link__HandoverRest *rest_copy(const Link__HandoverRest *rest)
{
	const size_t len = link__handover_rest__get_packed_size(rest);
	uint8_t *packed = mem_alloc(len);
	Link__HandoverRest *copy;

	copy = link__handover_rest__unpack(NULL, link__handover_rest__pack(rest, packed),
					   packed);
	mem_free(packed);
	assert(copy != NULL);
	return copy;
}

static bool is_sound(const struct arriving *arriving, const Link__HandoverRest *rest)
{
	return rest->first_id > 0 && arriving->last == NULL;
}

void arriving_on_moved(struct gateway *gateway, struct gateway_router *router,
		       const Link__HandoverMoved *moved)
{
	struct moving *moving =
		moving_find(&gateway->movings.arriving, moved->connection, moved->call);
	struct arriving *arriving;

	for (size_t i = 0; i < moved->n_keys; i++) {
		const Link__HandoverKey *key = moved->keys[i];

		if (moving != NULL)
			join_arrive(moving->conn, key->kind, link_slice(key->name));
		else
			join_undo_move(gateway, router, moved, key);
	}
	if (moving == NULL)
		return;
	moving_cut(moving, router);
	arriving = arriving_at(moving);
	if (arriving->last != NULL && has_all(arriving, arriving->last))
		arrive(arriving, arriving->last);
}

void arriving_on_rest(struct gateway *gateway, struct gateway_router *router,
		      const Link__HandoverRest *rest)
{
	struct moving *moving =
		moving_find(&gateway->movings.arriving, rest->connection, rest->call);
	Link__HandoverTaken taken = LINK__HANDOVER_TAKEN__INIT;
	struct arriving *arriving;

	if (moving == NULL && rest->is_failed)
		return;
	if (moving == NULL) {
		taken.hub = rest->hub;
		taken.connection = rest->connection;
		taken.call = rest->call;
		/* When it finds no room the other side's timer ends it. */
		(void)tell(router, &taken, ERR_NOT_FOUND, true);
		return;
	}
	arriving = arriving_at(moving);
	take_frames(arriving, rest);
	if (rest->is_last && is_sound(arriving, rest)) {
		if (has_all(arriving, rest))
			arrive(arriving, rest);
		else
			arriving->last = rest_copy(rest);
	} else if (rest->is_failed || rest->is_last) {
		arriving->is_given_up = rest->is_failed;
		conn_close(moving->conn, CONN_CLOSE_TRANSPORT, NULL);
	}
}
