/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resets wait for the end of the turn: they are asked for from inside what the gateway
 * sent. So does the verdict on a lost one, because a link that starts over is lost first
 * and up again in the same turn.
 */
#include "presence/home.h"

#include <assert.h>
#include <inttypes.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* The question for a registration, which may outlive whom it is for. */
struct home_call {
	struct store_call call;
	struct process *gateway; /* borrowed; NULL: nobody waits for it */
};

/* A lost process's registration. */
struct home_lost {
	struct list node; /* in homes->lost */
	uint64_t incarnation;
	uint64_t registration;
};

/*
 * A registration outlives the lease of the process by so much: it is for us to say that a
 * gateway is gone, after a second look; the store does when we are gone as well.
 */
#define LEASE_SLACK_MS 1000

/* What is held: this, then the packed message. */
struct home_held {
	Link__Envelope__BodyCase body_case;
	size_t len;
};

static struct presence *home_presence(const struct process *gateway)
{
	return presence_of(gateway->peer);
}

void home_init(struct home *home)
{
	*home = (struct home){ .state = HOME_ELSEWHERE };
}

void home_leave(struct home *home)
{
	if (home->call != NULL)
		home->call->gateway = NULL;
	buf_fini(&home->held);
	*home = (struct home){ .state = HOME_ELSEWHERE,
			       .is_reset_due = home->is_reset_due };
}

/* ---- what is held */

static void home_hold(struct process *gateway, Link__Envelope__BodyCase body_case,
		      const ProtobufCMessage *message)
{
	struct presence *presence = home_presence(gateway);
	struct home *home = &gateway->home;
	struct home_held held = { .body_case = body_case };
	char *at;

	if (home->is_overrun)
		return;
	held.len = protobuf_c_message_get_packed_size(message);
	if (home->held.len + held.len > (size_t)presence->conf->link.window_bytes_max) {
		home->is_overrun = true;
		buf_fini(&home->held);
		presence->metrics.held_overrun_total++;
		log_warn("gateway.held", "gateway=%s", gateway->lease.name);
		return;
	}
	buf_append(&home->held, &held, sizeof(held));
	at = buf_reserve(&home->held, held.len);
	home->held.len += protobuf_c_message_pack(message, (uint8_t *)at);
}

/* We packed it: it unpacks. */
static void held_release(struct presence *presence, uint64_t registration,
			 const struct home_held *held, const uint8_t *bytes)
{
	if (held->body_case == LINK__ENVELOPE__BODY_OPENED) {
		Link__Opened *opened = link__opened__unpack(NULL, held->len, bytes);

		online_opened(presence, registration, opened);
		link__opened__free_unpacked(opened, NULL);
	} else if (held->body_case == LINK__ENVELOPE__BODY_CLOSED) {
		Link__Closed *closed = link__closed__unpack(NULL, held->len, bytes);

		online_closed(presence, registration, closed);
		link__closed__free_unpacked(closed, NULL);
	} else {
		online_replayed(presence, registration);
	}
}

static void home_release(struct process *gateway)
{
	struct presence *presence = home_presence(gateway);
	struct home *home = &gateway->home;
	struct buf held = home->held;
	struct home_held head;

	buf_init(&home->held);
	/* Until one of them was refused: it begins anew. */
	for (size_t at = 0; at < held.len && home->state == HOME_HERE; at += head.len) {
		memcpy(&head, held.ptr + at, sizeof(head));
		at += sizeof(head);
		held_release(presence, home->registration, &head,
			     (const uint8_t *)held.ptr + at);
	}
	buf_fini(&held);
}

/* ---- registering */

static void on_registered(struct store_call *call, const struct store_answer *answer)
{
	struct home_call *asked = CONTAINER_OF(call, struct home_call, call);
	struct process *gateway = asked->gateway;

	mem_free(asked);
	if (gateway == NULL)
		return; /* nothing is told under this number: it ends with its lease */
	gateway->home.call = NULL;
	if (answer->rc != OK) {
		gateway->home.state = HOME_WANTED;
		online_failed(home_presence(gateway), answer->rc);
		return;
	}
	gateway->home.state = HOME_HERE;
	gateway->home.registration = answer->registration;
	home_presence(gateway)->metrics.registered_total++;
	log_info("gateway.registered", "gateway=%s registration=%" PRIu64,
		 gateway->lease.name, answer->registration);
	if (gateway->home.is_overrun)
		home_reset(gateway);
	else
		home_release(gateway);
}

static void home_ask(struct process *gateway)
{
	struct store *store = home_presence(gateway)->store;
	const struct session_gateway_id id = process_gateway_id(gateway);
	struct home_call *asked = MEM_NEW(struct home_call);

	asked->gateway = gateway;
	store_call_init(&asked->call, on_registered);
	gateway->home.state = HOME_ASKED;
	gateway->home.call = asked;
	store->ops->gateway_new(store, &id, gateway->lease.lease_ms + LEASE_SLACK_MS,
				&asked->call);
}

void home_on_lease(struct process *gateway, bool is_home)
{
	struct home *home = &gateway->home;

	if (!is_home)
		home_leave(home);
	else if (home->state == HOME_ELSEWHERE && !home->is_reset_due)
		home_ask(gateway);
	else if (home->state == HOME_HERE)
		online_renew(home_presence(gateway), home->registration,
			     gateway->lease.lease_ms + LEASE_SLACK_MS);
}

/* ---- what it tells */

/* True: `message` was held, or is of no use to us. */
static bool home_took(struct process *gateway, Link__Envelope__BodyCase body_case,
		      const ProtobufCMessage *message)
{
	switch (gateway->home.state) {
	case HOME_ELSEWHERE:
		if (!gateway->home.is_reset_due)
			log_warn("link.unexpected", "peer=%s message=%d",
				 gateway->lease.name, (int)body_case);
		home_presence(gateway)->metrics.homeless_total++;
		return true;
	case HOME_WANTED:
	case HOME_ASKED:
		home_hold(gateway, body_case, message);
		return true;
	case HOME_HERE:
		break;
	}
	return false;
}

void home_on_opened(struct process *gateway, const Link__Opened *opened)
{
	struct presence *presence = home_presence(gateway);

	presence->metrics.opened_total++;
	if (!home_took(gateway, LINK__ENVELOPE__BODY_OPENED, &opened->base))
		online_opened(presence, gateway->home.registration, opened);
}

void home_on_closed(struct process *gateway, const Link__Closed *closed)
{
	struct presence *presence = home_presence(gateway);

	presence->metrics.closed_total++;
	if (!home_took(gateway, LINK__ENVELOPE__BODY_CLOSED, &closed->base))
		online_closed(presence, gateway->home.registration, closed);
}

void home_on_replayed(struct process *gateway, const Link__Replayed *replayed)
{
	struct presence *presence = home_presence(gateway);

	presence->metrics.replayed_total++;
	log_info("gateway.replayed", "gateway=%s connections=%" PRIu64,
		 gateway->lease.name, replayed->connections);
	if (!home_took(gateway, LINK__ENVELOPE__BODY_REPLAYED, &replayed->base))
		online_replayed(presence, gateway->home.registration);
}

/* ---- beginning anew */

void home_reset(struct process *gateway)
{
	struct presence *presence = home_presence(gateway);

	gateway->home.is_reset_due = true;
	home_leave(&gateway->home);
	loop_touch(presence->loop, &presence->homes.flush);
}

/* Starts with NULL. */
static struct process *gateway_next(const struct presence *presence,
				    const struct process *gateway)
{
	const struct list *all = &presence->processes.leases.all;
	struct list *node = gateway != NULL ? gateway->lease.node.next : all->next;

	for (; node != all; node = node->next) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);

		if (lease->role == LINK__ROLE__ROLE_GATEWAY)
			return CONTAINER_OF(lease, struct process, lease);
	}
	return NULL;
}

void homes_reset(struct homes *homes, uint64_t registration)
{
	struct process *gateway = NULL;

	while ((gateway = gateway_next(homes->presence, gateway)) != NULL) {
		if (gateway->home.state == HOME_HERE &&
		    gateway->home.registration == registration)
			home_reset(gateway);
	}
}

void homes_reset_all(struct homes *homes)
{
	struct process *gateway = NULL;

	while ((gateway = gateway_next(homes->presence, gateway)) != NULL) {
		if (gateway->home.state != HOME_ELSEWHERE)
			home_reset(gateway);
	}
}

void homes_retry(struct homes *homes)
{
	const struct store *store = homes->presence->store;
	struct process *gateway = NULL;

	if (store->ops->away_since_ms(store) != 0)
		return;
	while ((gateway = gateway_next(homes->presence, gateway)) != NULL) {
		if (gateway->home.state == HOME_WANTED)
			home_ask(gateway);
	}
}

void home_lost(struct process *gateway)
{
	struct presence *presence = home_presence(gateway);

	if (gateway->home.state == HOME_HERE) {
		struct home_lost *lost = MEM_NEW(struct home_lost);

		lost->incarnation = gateway->lease.incarnation;
		lost->registration = gateway->home.registration;
		list_init(&lost->node);
		list_append(&presence->homes.lost, &lost->node);
		loop_touch(presence->loop, &presence->homes.flush);
	}
	home_leave(&gateway->home);
}

/* ---- the end of the turn */

static bool is_back(const struct presence *presence, uint64_t incarnation)
{
	const struct process *gateway = NULL;

	while ((gateway = gateway_next(presence, gateway)) != NULL) {
		if (gateway->lease.incarnation == incarnation)
			return true;
	}
	return false;
}

static void homes_bury(struct homes *homes)
{
	LIST_EACH (node, &homes->lost) {
		struct home_lost *lost = CONTAINER_OF(node, struct home_lost, node);

		list_remove(&lost->node);
		if (!is_back(homes->presence, lost->incarnation))
			online_retire(homes->presence, lost->registration);
		mem_free(lost);
	}
}

static void on_flush(struct loop_flush *flush)
{
	struct homes *homes = CONTAINER_OF(flush, struct homes, flush);
	struct process *gateway = NULL;

	homes_bury(homes);
	while ((gateway = gateway_next(homes->presence, gateway)) != NULL) {
		if (!gateway->home.is_reset_due)
			continue;
		gateway->home.is_reset_due = false;
		homes->presence->metrics.fenced_total++;
		log_warn("gateway.reset", "gateway=%s", gateway->lease.name);
		link_peer_reset(gateway->peer);
	}
}

void homes_init(struct homes *homes, struct presence *presence)
{
	*homes = (struct homes){ .presence = presence };
	loop_flush_init(&homes->flush, on_flush);
	list_init(&homes->lost);
}

void homes_fini(struct homes *homes)
{
	loop_untouch(&homes->flush);
	LIST_EACH (node, &homes->lost)
		mem_free(CONTAINER_OF(node, struct home_lost, node));
	list_init(&homes->lost);
}
