/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers are made as the link makes them when somebody dials in.
 */
#include "router/hubtest/stage.h"

#include <assert.h>

#include "proto/base/mem.h"
#include "proto/link/link_private.h"
#include "router/on_peer.h"

/* Of peers; each has its own. */
#define ROUTER_INCARNATION 1u
#define PRESENCE_INCARNATION 3u
#define GATEWAY_INCARNATIONS 1000u

static void open_link(struct stage *stage)
{
	struct router *router = stage->router;
	const struct link_options options = {
		.role = LINK__ROLE__ROLE_ROUTER,
		.name = "r1",
		.incarnation = ROUTER_INCARNATION,
		.keys = &SECRETS_OF(SLICE("nobody dials in")),
		.window_bytes_max = router->conf->link.window_bytes_max,
		.peer_timeout_ms = router->conf->link.lease_ms,
		.ops = &router_link_ops,
		.owner = router,
		.stats = &router->metrics.link,
	};

	router->link = link_new(stage->loop, &options);
	shard_links_open(router);
}

/* As replicas_open() does, but for dialing. */
static void open_presence(struct stage *stage)
{
	struct replicas *replicas = &stage->router->presence;
	enum err rc = shards_parse(&replicas->list, "p1=ipc://p1");

	assert(rc == OK);
	stage->presence =
		link_expect(stage->router->link, LINK__ROLE__ROLE_PRESENCE, "p1");
	stage->presence->incarnation = PRESENCE_INCARNATION;
	replicas->link = stage->router->link;
	home_choice_init(&replicas->choice, SLICE("r1"), &replicas->list,
			 loop_now_ms(stage->loop));
	replicas->peers = mem_alloc(sizeof(struct link_peer *));
	replicas->peers[0] = stage->presence;
	replicas_on_up(replicas, stage->presence, true);
	assert(replicas_home(replicas) == stage->presence);
}

void stage_init(struct stage *stage, struct loop *loop, const struct router_conf *conf)
{
	stage->loop = loop;
	stage->router = MEM_NEW(struct router);
	router_init(stage->router, stage->loop, conf, "r1");
}

void stage_open(struct stage *stage)
{
	open_link(stage);
	open_presence(stage);
}

void stage_fini(struct stage *stage)
{
	router_proc_ops.stop(NULL, stage->router);
	loop_free(stage->loop);
}

struct link_peer *stage_gateway(struct stage *stage, const char *name)
{
	struct link *link = stage->router->link;
	struct link_peer *peer =
		link_peer_new(link, LINK__ROLE__ROLE_GATEWAY, slice_from_str(name));

	peer->incarnation = GATEWAY_INCARNATIONS + link->peers_n;
	router_link_ops.on_up(peer, true);
	return peer;
}

/* A run of records is a Batch that holds nothing else. */
Link__Batch *stage_said(struct link_peer *peer)
{
	Link__Batch *batch;
	uint64_t first_seq;
	struct slice run;

	if (session_next(&peer->session, 1, &first_seq, &run) == 0)
		return NULL;
	batch = link__batch__unpack(NULL, run.len, (const uint8_t *)run.ptr);
	assert(batch != NULL);
	assert(batch->n_envelopes == 1);
	return batch;
}

void stage_ack(struct link_peer *peer)
{
	const enum err rc = session_on_ack(&peer->session, peer->session.sent_seq);

	assert(rc == OK);
	link_room_given(peer);
}

void stage_hear(struct link_peer *peer, const Link__Envelope *envelope)
{
	const size_t len = link__envelope__get_packed_size(envelope);
	uint8_t *packed = mem_alloc(len);
	Link__Envelope *unpacked;

	link__envelope__pack(envelope, packed);
	unpacked = link__envelope__unpack(NULL, len, packed);
	mem_free(packed);
	assert(unpacked != NULL);
	router_link_ops.on_envelope(peer, unpacked);
	link__envelope__free_unpacked(unpacked, NULL);
}
