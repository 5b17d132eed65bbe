/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway does what a real one does towards the router (gateway/join.c,
 * gateway/conn_shard.c), at once.
 */
#include "router/hubtest/world.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/base/loop_hold.h"
#include "router/hub_private.h"
#include "router/hubtest/guard.h"
#include "router/hubtest/tell.h"

#define IDLE_TURNS 2u /* nothing was said in so many turns: all wait */
#define TURNS_MAX 100000u

/* ---- life */

static void say_replayed(struct world *world)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Replayed replayed = LINK__REPLAYED__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_REPLAYED;
	envelope.replayed = &replayed;
	world_hear(world, &envelope);
}

/* The gateway is all there is: sends need not wait for others. */
static void say_topology(struct world *world)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Topology topology = LINK__TOPOLOGY__INIT;
	Link__Peer peer = LINK__PEER__INIT;
	Link__Peer *peers[] = { &peer };

	peer.role = LINK__ROLE__ROLE_GATEWAY;
	peer.name = link_bytes(slice_from_str(link_peer_name(world->gateway)));
	peer.incarnation = link_peer_incarnation(world->gateway);
	topology.peers = peers;
	topology.n_peers = 1;
	topology.is_settled = true;
	envelope.body_case = LINK__ENVELOPE__BODY_TOPOLOGY;
	envelope.topology = &topology;
	stage_hear(world->stage.presence, &envelope);
}

static bool on_logged(struct log_tap *tap, enum log_level level, const char *id,
		      const char *pairs)
{
	/* The line that follows tells which method; the step has to be known, too. */
	if (strcmp(id, "hub.crashed") == 0)
		guard_show();
	return tell_logged(CONTAINER_OF(tap, struct world, tap), level, id, pairs);
}

void world_open(struct world *world, const struct router_conf *conf, struct slice hub,
		struct lines *lines)
{
	struct loop *loop = loop_new();
	enum err rc;

	*world = (struct world){ .hub = hub, .lines = lines, .tap.take = on_logged };
	arena_init(&world->arena);
	arena_init(&world->scratch);
	loop_hold(loop, WORLD_UNIX_MS);
	stage_init(&world->stage, loop, conf);
	stage_open(&world->stage);
	world->counted =
		arena_zalloc(&world->arena, world->stage.router->metrics.hub_counted.n *
						    sizeof(*world->counted));
	log_tap(&world->tap);
	world->gateway = stage_gateway(&world->stage, "g1");
	say_replayed(world);
	say_topology(world);
	rc = world_settle(world);
	assert(rc == OK);
	assert(world->stage.router->rebuild.is_done);
}

void world_close(struct world *world)
{
	play_redis_close(&world->redis);
	guard_begin();
	stage_fini(&world->stage);
	guard_rest();
	log_tap(NULL);
	arena_fini(&world->scratch);
	arena_fini(&world->arena);
}

/* ---- players */

struct player *world_player(const struct world *world, struct slice name)
{
	for (size_t i = world->players_n; i > 0; i--) {
		if (world->players[i - 1]->is_open &&
		    slice_equal(world->players[i - 1]->name, name))
			return world->players[i - 1];
	}
	return NULL;
}

struct player *world_player_add(struct world *world, struct slice name)
{
	if (world->players_n == WORLD_PLAYERS_MAX)
		return NULL;
	world->players[world->players_n++] = player_new(&world->arena, name);
	return world->players[world->players_n - 1];
}

struct slice world_number(struct world *world)
{
	return arena_printf(&world->arena, "%" PRIu64, ++world->last_number);
}

void world_member(struct world *world, const struct player *player, Link__Kind kind,
		  struct slice name, bool is_gone)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Member member = LINK__MEMBER__INIT;

	member.hub = link_bytes(player->hub);
	member.kind = kind;
	member.name = link_bytes(name);
	member.connection = link_bytes(player->name);
	member.is_gone = is_gone;
	if (!is_gone) {
		member.user_id = link_bytes(player->user_id);
		member.user_name = link_bytes(player->user_name);
	}
	envelope.body_case = LINK__ENVELOPE__BODY_MEMBER;
	envelope.member = &member;
	world_hear(world, &envelope);
}

void world_disconnect(struct world *world, struct player *player, struct slice error)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;

	player->is_open = false;
	while (player->groups_n > 0)
		world_member(world, player, LINK__KIND__KIND_GROUP,
			     player->groups[--player->groups_n], true);
	if (player->user_id.len > 0)
		world_member(world, player, LINK__KIND__KIND_USER, player->user_id, true);
	disconnected.hub = link_bytes(player->hub);
	disconnected.connection = link_bytes(player->name);
	disconnected.error = link_bytes(error);
	envelope.body_case = LINK__ENVELOPE__BODY_DISCONNECTED;
	envelope.disconnected = &disconnected;
	world_hear(world, &envelope);
}

/* ---- running */

void world_hear(struct world *world, const Link__Envelope *envelope)
{
	stage_hear(world->gateway, envelope);
}

/* Hands on what the router has said. False: it has said nothing. */
static bool world_listen(struct world *world)
{
	bool is_any = false;
	Link__Batch *batch;

	while (world->lines->n <= WORLD_LINES_MAX &&
	       (batch = stage_said(world->gateway)) != NULL) {
		is_any = true;
		tell_envelope(world, batch->envelopes[0]);
		arena_reset(&world->scratch);
		link__batch__free_unpacked(batch, NULL);
	}
	/* Leases, and that it wants to hear of users. */
	while ((batch = stage_said(world->stage.presence)) != NULL)
		link__batch__free_unpacked(batch, NULL);
	stage_ack(world->gateway);
	stage_ack(world->stage.presence);
	return is_any;
}

enum err world_settle(struct world *world)
{
	const struct hub_runtime *hubs = world->stage.router->hubs;
	size_t idle = 0;

	arena_reset(&world->scratch);
	for (size_t i = 0; i < TURNS_MAX && world->lines->n <= WORLD_LINES_MAX; i++) {
		guard_begin();
		loop_turn(world->stage.loop, 0);
		if (world_listen(world) || !list_is_empty(&hubs->ready))
			idle = 0;
		else if (++idle == IDLE_TURNS)
			break;
	}
	guard_rest();
	tell_counted(world);
	return idle == IDLE_TURNS ? OK : ERR_LIMIT;
}

enum err world_pass(struct world *world, int64_t ms)
{
	enum err rc = OK;

	while (ms > 0 && rc == OK) {
		ms -= loop_pass(world->stage.loop, ms);
		rc = world_settle(world);
	}
	return rc;
}
