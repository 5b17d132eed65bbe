/* SPDX-License-Identifier: Apache-2.0 */
/*
 * So many changes may be on their way at once; more wait in the store. Each has a ticket:
 * what the router has handled moves its mark, which is written at most once a second.
 */
#include "presence/follower.h"

#include <assert.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define SENT_MAX 256 /* changes on their way; each is 16 KiB at most */
#define MARK_INTERVAL_MS 1000
#define ASK_RETRY_MS 500

struct follower {
	struct process *router; /* borrowed */
	struct feed_watcher watcher;
	struct follower_call *call; /* asks for its mark */
	struct timer ask_timer;	    /* again, later */
	struct list sent;
	size_t sent_n;
	struct timer mark_timer;
	bool is_mark_due;
	size_t done_id_len;
	char done_id[FEED_ID_BYTES_MAX]; /* handled up to this one */
};

/* One change on its way. */
struct follower_sent {
	struct list node; /* in follower->sent */
	struct session_ticket ticket;
	struct follower *follower; /* borrowed */
	size_t id_len;
	char id[FEED_ID_BYTES_MAX];
};

/* A question to the store about the mark. */
struct follower_call {
	struct store_call call;
	struct presence *presence; /* borrowed */
	struct follower *follower; /* borrowed; NULL: nobody waits for the answer */
};

static struct presence *follower_presence(const struct follower *follower)
{
	return presence_of(follower->router->peer);
}

/* ---- marks */

static struct follower_call *call_new(struct presence *presence, store_done_fn *done)
{
	struct follower_call *asked = MEM_NEW(struct follower_call);

	asked->presence = presence;
	store_call_init(&asked->call, done);
	return asked;
}

/* One that was not written is made up for by the next; without, changes come twice. */
static void on_mark_written(struct store_call *call, const struct store_answer *answer)
{
	struct follower_call *asked = CONTAINER_OF(call, struct follower_call, call);

	if (answer->rc == OK)
		asked->presence->metrics.marks_total++;
	else
		online_failed(asked->presence, answer->rc);
	mem_free(asked);
}

static void follower_mark(struct follower *follower)
{
	struct presence *presence = follower_presence(follower);
	struct store *store = presence->store;

	if (!follower->is_mark_due)
		return;
	follower->is_mark_due = false;
	store->ops->mark(store, slice_from_str(follower->router->lease.name),
			 slice_make(follower->done_id, follower->done_id_len),
			 &call_new(presence, on_mark_written)->call);
}

static void on_mark_timer(struct timer *timer)
{
	follower_mark(CONTAINER_OF(timer, struct follower, mark_timer));
}

static void follower_done(struct follower *follower, struct slice id)
{
	memcpy(follower->done_id, id.ptr, id.len);
	follower->done_id_len = id.len;
	follower->is_mark_due = true;
	if (!timer_is_running(&follower->mark_timer))
		loop_timer_start(follower_presence(follower)->loop, &follower->mark_timer,
				 MARK_INTERVAL_MS);
}

/* ---- changes */

static void sent_free(struct follower_sent *sent)
{
	session_ticket_cancel(&sent->ticket);
	list_remove(&sent->node);
	sent->follower->sent_n--;
	mem_free(sent);
}

/* Lost ones are told again to the router's next life, from its mark on. */
static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct follower_sent *sent = CONTAINER_OF(ticket, struct follower_sent, ticket);
	struct follower *follower = sent->follower;

	if (rc == OK)
		follower_done(follower, slice_make(sent->id, sent->id_len));
	sent_free(sent);
	if (follower->sent_n <= SENT_MAX / 2)
		feed_resume(&follower->watcher);
}

static Link__Change change_of(enum store_change change)
{
	switch (change) {
	case STORE_ONLINE:
		return LINK__CHANGE__CHANGE_ONLINE;
	case STORE_OFFLINE:
		return LINK__CHANGE__CHANGE_OFFLINE;
	case STORE_RESET:
		break;
	}
	return LINK__CHANGE__CHANGE_RESET;
}

static struct follower_sent *sent_new(struct follower *follower, struct slice id)
{
	struct follower_sent *sent = MEM_NEW(struct follower_sent);

	assert(id.len <= sizeof(sent->id));
	sent->follower = follower;
	sent->id_len = id.len;
	memcpy(sent->id, id.ptr, id.len);
	session_ticket_init(&sent->ticket, on_ticket);
	list_init(&sent->node);
	list_append(&follower->sent, &sent->node);
	follower->sent_n++;
	return sent;
}

/* A link without room starts over; the router then watches from where it was on. */
static enum err follower_send(struct follower *follower, const Link__UserChange *change)
{
	struct link_peer *peer = follower->router->peer;
	struct follower_sent *sent = sent_new(follower, link_slice(change->id));
	const enum err rc = link_send_user_change(peer, change, &sent->ticket);

	if (rc == OK)
		return OK;
	sent_free(sent);
	log_warn("router.resync", "peer=%s", link_peer_name(peer));
	link_peer_reset(peer);
	return rc;
}

static void on_event(struct feed_watcher *watcher, const struct store_event *event)
{
	struct follower *follower = CONTAINER_OF(watcher, struct follower, watcher);
	Link__UserChange change = LINK__USER_CHANGE__INIT;

	change.id = link_bytes(event->id);
	change.change = change_of(event->change);
	change.user_id = link_bytes(event->user_id);
	change.user_name = link_bytes(event->user_name);
	change.at_unix_ms = event->at_unix_ms;
	if (follower_send(follower, &change) != OK || follower->sent_n >= SENT_MAX)
		feed_pause(watcher);
}

/* ---- life */

/* The follower that waits for the answer; NULL: it is gone. */
static struct follower *call_answered(struct store_call *call)
{
	struct follower_call *asked = CONTAINER_OF(call, struct follower_call, call);
	struct follower *follower = asked->follower;

	mem_free(asked);
	if (follower != NULL)
		follower->call = NULL;
	return follower;
}

static void follower_ask(struct follower *follower, store_done_fn *done)
{
	follower->call = call_new(follower_presence(follower), done);
	follower->call->follower = follower;
}

/* Where it was on is in the store, which answers later. */
static void follower_ask_later(struct follower *follower, enum err rc)
{
	struct presence *presence = follower_presence(follower);

	online_failed(presence, rc);
	if (rc != ERR_CLOSED)
		loop_timer_start(presence->loop, &follower->ask_timer, ASK_RETRY_MS);
}

/* The router hears where it begins, and has a mark from now on: else what happens before
 * the first change that it is told, while it is away, would be missed. */
static void on_place_found(struct store_call *call, const struct store_answer *answer)
{
	struct follower *follower = call_answered(call);
	Link__UserChange place = LINK__USER_CHANGE__INIT;

	if (follower == NULL)
		return;
	if (answer->rc != OK) {
		follower_ask_later(follower, answer->rc);
		return;
	}
	feed_add(&follower_presence(follower)->feed, &follower->watcher, answer->next,
		 on_event);
	place.id = link_bytes(answer->next);
	if (follower_send(follower, &place) != OK)
		feed_pause(&follower->watcher);
}

static void on_mark_found(struct store_call *call, const struct store_answer *answer)
{
	struct follower *follower = call_answered(call);
	struct store *store;

	if (follower == NULL)
		return;
	store = follower_presence(follower)->store;
	if (answer->rc != OK) {
		follower_ask_later(follower, answer->rc);
	} else if (answer->next.len > 0) {
		feed_add(&follower_presence(follower)->feed, &follower->watcher,
			 answer->next, on_event);
	} else {
		follower_ask(follower, on_place_found);
		store->ops->events(store, SLICE_NONE, 1, &follower->call->call);
	}
}

static void follower_find_mark(struct follower *follower)
{
	struct store *store = follower_presence(follower)->store;

	follower_ask(follower, on_mark_found);
	store->ops->marked(store, slice_from_str(follower->router->lease.name),
			   &follower->call->call);
}

static void on_ask_timer(struct timer *timer)
{
	follower_find_mark(CONTAINER_OF(timer, struct follower, ask_timer));
}

void follower_on_watch(struct process *router, const Link__Watch *watch)
{
	struct follower *follower = MEM_NEW(struct follower);
	const struct slice after = link_slice(watch->after);

	follower_end(router);
	router->follower = follower;
	follower->router = router;
	list_init(&follower->sent);
	timer_init(&follower->mark_timer, on_mark_timer);
	timer_init(&follower->ask_timer, on_ask_timer);
	if (after.len > 0)
		feed_add(&follower_presence(follower)->feed, &follower->watcher, after,
			 on_event);
	else
		follower_find_mark(follower);
}

/* What it acknowledged since it chose the other one it may have passed over: that one
 * tells it, and moves the mark. */
void follower_leave(struct process *router)
{
	if (router->follower != NULL)
		router->follower->is_mark_due = false;
	follower_end(router);
}

void follower_end(struct process *router)
{
	struct follower *follower = router->follower;

	if (follower == NULL)
		return;
	router->follower = NULL;
	if (follower->call != NULL)
		follower->call->follower = NULL;
	feed_remove(&follower->watcher);
	follower_mark(follower);
	loop_timer_stop(follower_presence(follower)->loop, &follower->mark_timer);
	loop_timer_stop(follower_presence(follower)->loop, &follower->ask_timer);
	LIST_EACH (node, &follower->sent)
		sent_free(CONTAINER_OF(node, struct follower_sent, node));
	mem_free(follower);
}
