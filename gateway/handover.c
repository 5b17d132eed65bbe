/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four steps: a successor is asked for; when there is one, joins under way are waited for
 * (the router that owns the connection asks for no more of them here); all routers are
 * asked to move what they know; what is left is sent after it. Up to the second a
 * connection that is not taken stays as it was; from there on there is no way back, and
 * one that fails is closed as others are that must go.
 */
#include "gateway/handover.h"

#include <assert.h>
#include <inttypes.h>

#include "gateway/claim.h"
#include "gateway/conn_in.h"
#include "gateway/drain.h"
#include "gateway/headers.h"
#include "gateway/invoke.h"
#include "gateway/join.h"
#include "gateway/resend.h"
#include "gateway/stateful.h"
#include "gateway/upload.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_name.h"

/* One message holds no more frames than this, but one at least. */
#define REST_BYTES_MAX (256u << 10)

/* So many successors are asked. */
#define TRIES_MAX 5

enum handover_state {
	HANDOVER_ASKED,	   /* for a successor */
	HANDOVER_SETTLING, /* it has one; joins are under way */
	HANDOVER_MOVING,   /* routers are asked */
	HANDOVER_RESTING,  /* all is told */
};

struct handover {
	struct moving moving;
	struct gateway_router *owner; /* borrowed: of the connection; NULL: it has gone */
	enum handover_state state;
	unsigned tries;
	bool is_lost;	/* with the router that it hung on */
	size_t uncut_n; /* routers that have not answered */
	char successor[LINK_NAME_MAX];
	size_t successor_len;
	int64_t started_ms;
};

static struct handover *handover_at(struct moving *moving)
{
	return CONTAINER_OF(moving, struct handover, moving);
}

static struct slice id_of(const struct handover *handover)
{
	return slice_make(handover->moving.conn->id, CONN_ID_LEN);
}

static struct slice hub_of(const struct handover *handover)
{
	return slice_from_str(handover->moving.conn->hub->name);
}

static void handover_free(struct handover *handover)
{
	struct gateway *gateway = handover->moving.conn->gateway;

	gateway->movings.leaving_n--;
	gateway->metrics.handovers--;
	moving_fini(&handover->moving);
	mem_free(handover);
}

/* Nobody takes it: it goes as others do that cannot go over. */
static void give_back(struct handover *handover)
{
	struct conn *conn = handover->moving.conn;

	conn->gateway->metrics.handover_untaken_total++;
	handover_free(handover);
	conn_unpause(conn, CONN_PAUSE_MOVING);
	drain_evict(conn);
}

/* There is no way back. The client may connect anew. */
static void fail(struct handover *handover, const char *reason)
{
	struct conn *conn = handover->moving.conn;

	log_warn("handover.failed", "successor=%.*s reason=%s",
		 (int)handover->successor_len, handover->successor, reason);
	conn->gateway->metrics.handover_failed_total++;
	conn_close(conn, CONN_CLOSE_SHUTDOWN, NULL);
}

/* ---- asking for a successor */

static void fill_user(const struct user *user, Link__User *who, struct arena *arena)
{
	link__user__init(who);
	who->id = link_bytes(user_id(user));
	who->name = link_bytes(user_name(user));
	who->claims = link_bytes(user_claims(user));
	who->roles = arena_alloc(arena, user->roles_n * sizeof(*who->roles));
	for (size_t i = 0; i < user->roles_n; i++)
		who->roles[who->n_roles++] = link_bytes(user_role(user, i));
}

static void fill_headers(const struct conn *conn, Link__Handover *handover,
			 struct arena *arena)
{
	Link__Connected connected = LINK__CONNECTED__INIT;

	headers_tell(conn->headers, arena, &connected);
	handover->headers = connected.headers;
	handover->n_headers = connected.n_headers;
	handover->query = connected.query;
}

static enum err ask(struct handover *handover)
{
	struct conn *conn = handover->moving.conn;
	struct gateway *gateway = conn->gateway;
	Link__Handover message = LINK__HANDOVER__INIT;
	struct arena arena = ARENA_INIT;
	Link__User who;
	enum err rc;

	handover->moving.call = ++gateway->movings.last_call;
	handover->tries++;
	fill_user(conn->user, &who, &arena);
	message.hub = link_bytes(hub_of(handover));
	message.connection = link_bytes(id_of(handover));
	message.call = handover->moving.call;
	message.user = &who;
	message.protocol = conn->codec->protocol;
	message.remote = link_bytes(slice_from_str(conn_remote(conn)));
	message.user_agent = link_bytes(intern_text(conn->agent));
	fill_headers(conn, &message, &arena);
	message.opened_unix_ms = conn->opened_unix_ms;
	message.expires_unix_s = conn->user->expires_unix_s;
	message.fresh_until_unix_s = claim_fresh_until_s(gateway, id_of(handover));
	message.is_pinged = conn->is_pinged;
	message.is_told = conn->is_told;
	invoke_tell(conn, &arena, &message.calls, &message.n_calls);
	uploads_tell(conn, &arena, &message.uploads, &message.n_uploads);
	rc = link_send_handover(handover->owner->peer, &message, NULL);
	arena_fini(&arena);
	if (rc == OK)
		loop_timer_start(gateway->loop, &handover->moving.timer,
				 gateway->conf->handover_timeout_ms);
	return rc;
}

/* Who asked and has no answer does not know whose the connection is. */
static void on_timer(struct timer *timer)
{
	struct handover *handover = CONTAINER_OF(timer, struct handover, moving.timer);

	if (handover->is_lost && handover->state == HANDOVER_ASKED)
		give_back(handover);
	else
		fail(handover, handover->is_lost ? "router_lost" : "timeout");
}

bool handover_may_start(const struct conn *conn)
{
	return stateful_may_attach(conn) && (conn->paused & CONN_PAUSE_MOVING) == 0 &&
	       conn->is_begun && !conn->is_releasing &&
	       conn->gateway->routers.map.phase == SHARD_PHASE_STABLE &&
	       conn->gateway->movings.leaving_n < HANDOVERS_MAX;
}

enum err handover_start(struct conn *conn)
{
	struct gateway *gateway = conn->gateway;
	struct handover *handover = MEM_NEW(struct handover);
	enum err rc;

	assert(handover_may_start(conn));
	moving_init(&handover->moving, conn, 0, on_timer);
	list_append(&gateway->movings.leaving, &handover->moving.node);
	gateway->movings.leaving_n++;
	gateway->metrics.handovers++;
	handover->owner = gateway_conn_owner(conn);
	handover->started_ms = loop_now_ms(gateway->loop);
	rc = ask(handover);
	if (rc != OK) {
		handover_free(handover);
		return rc;
	}
	gateway->metrics.handover_total++;
	conn_pause(conn, CONN_PAUSE_MOVING);
	return OK;
}

/* ---- the memberships */

static enum err send_move(struct handover *handover, struct gateway_router *router)
{
	struct conn *conn = handover->moving.conn;
	Link__HandoverMove message = LINK__HANDOVER_MOVE__INIT;
	struct arena arena = ARENA_INIT;
	Link__HandoverKey *keys =
		arena_alloc(&arena, conn->memberships_n * sizeof(*keys));
	enum err rc;

	message.hub = link_bytes(hub_of(handover));
	message.connection = link_bytes(id_of(handover));
	message.call = handover->moving.call;
	message.gateway =
		link_bytes(slice_make(handover->successor, handover->successor_len));
	message.keys = arena_alloc(&arena, conn->memberships_n * sizeof(*message.keys));
	LIST_EACH (node, &conn->memberships) {
		const struct index_key *key =
			CONTAINER_OF(node, struct membership, conn_node)->key;
		Link__HandoverKey *to = &keys[message.n_keys];

		if (gateway_owner(conn->gateway, conn->hub, (Link__Kind)key->kind,
				  index_key_name(key)) != router)
			continue;
		link__handover_key__init(to);
		to->kind = (Link__Kind)key->kind;
		to->name = link_bytes(index_key_name(key));
		message.keys[message.n_keys++] = to;
	}
	rc = link_send_handover_move(router->peer, &message, NULL);
	arena_fini(&arena);
	return rc;
}

static void settle(struct handover *handover)
{
	struct gateway *gateway = handover->moving.conn->gateway;
	enum err rc = OK;

	if (handover->state != HANDOVER_SETTLING ||
	    join_is_under_way(gateway, id_of(handover)))
		return;
	handover->state = HANDOVER_MOVING;
	handover->uncut_n = gateway->routers.n;
	for (size_t i = 0; i < gateway->routers.n && rc == OK; i++)
		rc = send_move(handover, gateway->routers.items[i]);
	if (rc != OK)
		fail(handover, err_name(rc));
}

void handover_on_joined(struct gateway *gateway, struct slice connection)
{
	LIST_EACH (node, &gateway->movings.leaving) {
		struct handover *handover =
			CONTAINER_OF(node, struct handover, moving.node);

		if (slice_equal(id_of(handover), connection)) {
			settle(handover);
			return;
		}
	}
}

/* ---- the rest */

static enum err send_rest(struct handover *handover, Link__HandoverRest *message)
{
	if (handover->owner == NULL)
		return ERR_CLOSED;
	message->hub = link_bytes(hub_of(handover));
	message->connection = link_bytes(id_of(handover));
	message->call = handover->moving.call;
	return link_send_handover_rest(handover->owner->peer, message, NULL);
}

static void fill_last(const struct handover *handover, struct arena *arena,
		      Link__HandoverRest *message)
{
	const struct conn *conn = handover->moving.conn;
	const struct resend *resend = stateful_resend(conn);

	message->is_last = true;
	message->routers = (uint32_t)handover->moving.have_cut_n;
	message->first_id = resend->first_id;
	message->received = resend->received;
	message->is_blocked = conn->is_blocked;
	invoke_tell(conn, arena, &message->calls, &message->n_calls);
	uploads_tell(conn, arena, &message->uploads, &message->n_uploads);
}

/* From frame `*at` on, which moves behind those that are sent. */
static enum err send_frames(struct handover *handover, uint32_t *at)
{
	const struct conn *conn = handover->moving.conn;
	const struct resend *resend = stateful_resend(conn);
	Link__HandoverRest message = LINK__HANDOVER_REST__INIT;
	struct arena arena = ARENA_INIT;
	size_t bytes = 0;
	enum err rc;

	message.frames = arena_alloc(&arena, (resend->n - *at) * sizeof(*message.frames));
	for (; *at < resend->n; ++*at) {
		const struct slice frame = blob_slice(resend_at(resend, *at));

		if (bytes > 0 && bytes + frame.len > REST_BYTES_MAX)
			break;
		bytes += frame.len;
		message.frames[message.n_frames++] = link_bytes(frame);
	}
	if (*at == resend->n)
		fill_last(handover, &arena, &message);
	rc = send_rest(handover, &message);
	arena_fini(&arena);
	return rc;
}

static void rest(struct handover *handover)
{
	const struct conn *conn = handover->moving.conn;
	uint32_t at = 0;
	enum err rc = OK;

	handover->state = HANDOVER_RESTING;
	/* Its routers have moved all that it was in, or it is in something that they do
	 * not know. */
	if (conn->memberships_n > 0)
		rc = ERR_NOT_FOUND;
	do {
		if (rc == OK)
			rc = send_frames(handover, &at);
	} while (rc == OK && at < stateful_resend(conn)->n);
	if (rc != OK)
		fail(handover, err_name(rc));
}

/* ---- what the others say */

static void taken(struct handover *handover, struct slice successor)
{
	if (successor.len == 0 || successor.len > LINK_NAME_MAX) {
		fail(handover, "unnamed");
		return;
	}
	memcpy(handover->successor, successor.ptr, successor.len);
	handover->successor_len = successor.len;
	handover->state = HANDOVER_SETTLING;
	settle(handover);
}

static void done(struct handover *handover)
{
	struct conn *conn = handover->moving.conn;
	struct gateway *gateway = conn->gateway;

	gateway->metrics.handover_done_total++;
	histogram_add_us(&gateway->metrics.handover_seconds,
			 (uint64_t)(loop_now_ms(gateway->loop) - handover->started_ms) *
				 1000);
	handover_free(handover);
	conn_close(conn, CONN_CLOSE_MOVED, NULL);
}

void handover_on_taken(struct gateway *gateway, const Link__HandoverTaken *message)
{
	struct moving *moving = moving_find(&gateway->movings.leaving,
					    message->connection, message->call);
	struct handover *handover;

	if (moving == NULL) {
		gateway->metrics.handover_late_total++;
		return;
	}
	handover = handover_at(moving);
	if (message->rc == OK && message->is_done && handover->state == HANDOVER_RESTING)
		done(handover);
	else if (message->rc == OK && handover->state == HANDOVER_ASKED)
		taken(handover, link_slice(message->gateway));
	else if (handover->state != HANDOVER_ASKED)
		fail(handover, err_name((enum err)message->rc));
	else if (message->rc == ERR_NOT_FOUND || handover->tries >= TRIES_MAX ||
		 ask(handover) != OK)
		give_back(handover);
}

/* False: the connection has ended. */
static bool leave_keys(struct conn *conn, const Link__HandoverMoved *moved)
{
	/* What was sent before it left is still its own. */
	if (moved->n_keys > 0)
		sweep_catch_up(conn);
	if (conn->state == CONN_CLOSED)
		return false;
	for (size_t i = 0; i < moved->n_keys; i++)
		join_move_away(conn, moved->keys[i]->kind,
			       link_slice(moved->keys[i]->name));
	return true;
}

bool handover_on_moved(struct gateway *gateway, const struct gateway_router *router,
		       const Link__HandoverMoved *moved)
{
	struct moving *moving =
		moving_find(&gateway->movings.leaving, moved->connection, moved->call);
	struct handover *handover = moving != NULL ? handover_at(moving) : NULL;

	if (handover == NULL)
		return false;
	if (handover->state != HANDOVER_MOVING || moved->rc != OK) {
		fail(handover, "unmoved");
		return true;
	}
	if (!leave_keys(moving->conn, moved))
		return true;
	moving_cut(moving, router);
	if (--handover->uncut_n > 0)
		return true;
	/* What went to all of its hub in slices is its own as well. */
	sweep_catch_up(moving->conn);
	if (moving->conn->state == CONN_OPEN)
		rest(handover);
	return true;
}

/* ---- trouble */

void handover_on_end(struct conn *conn)
{
	struct moving *moving = moving_of(&conn->gateway->movings.leaving, conn);
	Link__HandoverRest message = LINK__HANDOVER_REST__INIT;
	struct handover *handover;

	if (moving == NULL)
		return;
	handover = handover_at(moving);
	message.is_failed = true;
	/* When it finds no room the successor's own timer ends what it has. */
	(void)send_rest(handover, &message);
	handover_free(handover);
}

/* At once, but not before the replay. A router that comes back is told of what was only
 * asked for as of any other connection, and the successor drops what it has of it. */
void handovers_on_lost(const struct gateway_router *router)
{
	struct gateway *gateway = router->gateway;

	LIST_EACH (node, &gateway->movings.leaving) {
		struct handover *handover =
			CONTAINER_OF(node, struct handover, moving.node);

		if (handover->state == HANDOVER_ASKED && handover->owner != router)
			continue;
		handover->is_lost = true;
		loop_timer_start(gateway->loop, &handover->moving.timer, 0);
	}
}

void handovers_on_map(struct gateway *gateway)
{
	LIST_EACH (node, &gateway->movings.leaving) {
		struct handover *handover =
			CONTAINER_OF(node, struct handover, moving.node);

		if (handover->state != HANDOVER_RESTING)
			fail(handover, "shards_changed");
	}
}

bool handover_is_anothers(const struct conn *conn)
{
	struct moving *moving = NULL;

	if (conn_is_arriving(conn))
		return true;
	if ((conn->paused & CONN_PAUSE_MOVING) != 0)
		moving = moving_of(&conn->gateway->movings.leaving, conn);
	return moving != NULL && handover_at(moving)->state == HANDOVER_RESTING &&
	       !handover_at(moving)->is_lost;
}

void handovers_on_left(const struct gateway_router *router)
{
	handovers_on_lost(router);
	LIST_EACH (node, &router->gateway->movings.leaving) {
		struct handover *handover =
			CONTAINER_OF(node, struct handover, moving.node);

		if (handover->owner == router)
			handover->owner = NULL;
	}
}
