/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rig of the link tests: links on one loop that note what they are told, and a raw
 * peer that speaks the protocol by itself, after docs/LINK.md, so that it can also break
 * it.
 */
#ifndef TESTS_UNIT_PROTO_LINK_LINK_RIG_H
#define TESTS_UNIT_PROTO_LINK_LINK_RIG_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/crypto.h"
#include "proto/base/loop.h"
#include "proto/link/link.h"
#include "proto/link/link_stats.h"
#include "proto/link/pipe_open.h"
#include "proto/link/session.h"

#define DEADLINE_MS 20000
#define GATEWAY LINK__ROLE__ROLE_GATEWAY
#define ROUTER LINK__ROLE__ROLE_ROUTER
#define KEY "0123456789abcdef0123456789abcdef"
#define REPLAY 1000000u /* the numbers of replayed messages start here */

/* ---- a link and what it saw */

struct node {
	struct secrets keys;
	struct link_options options;
	struct link_stats stats;
	struct link *link;
	struct link_peer *peer; /* that came up last */
	unsigned ups;
	unsigned news;
	unsigned downs;
	unsigned losts;
	unsigned rooms;
	uint64_t *calls; /* owned: the numbers of the messages, as they came */
	size_t calls_n;
	size_t calls_cap;
	unsigned replay_n; /* this many messages are sent to a new peer */
	bool is_echo;	   /* every message is sent back */
	uint64_t reset_at; /* on this call the peer is reset */
};

struct rig {
	struct loop *loop;
	struct pipe_set *pipes; /* of the raw peers */
	char dir[32];
	char url[64];
};

extern struct rig rig;

/* For .init and .fini of a suite. */
void rig_init(void);
void rig_fini(void);

/* Turns until `condition` holds; fails after DEADLINE_MS. */
#define WAIT(condition)                                                                  \
	do {                                                                             \
		const int64_t end_ms = loop_now_ms(rig.loop) + DEADLINE_MS;              \
		while (!(condition) && loop_now_ms(rig.loop) < end_ms)                   \
			loop_turn(rig.loop, 20);                                         \
		cr_assert(condition, "not within the deadline");                         \
	} while (0)

/* Turns for so long, in which what must not happen could. */
void rig_idle(int64_t ms);

/* The options can be changed until node_open(). */
void node_init(struct node *node, Link__Role role, const char *name);
void node_open(struct node *node, struct loop *loop);

/* Ends the link and forgets what it saw; a new incarnation may be opened. */
void node_close(struct node *node);

/* Breaks the stream to the peer as the network would. */
void node_break(struct node *node);

/* A message of either sort, with a number. */
MUST_CHECK enum err node_send(struct node *node, uint64_t call, bool is_kept,
			      struct session_ticket *ticket);

/* `dialer` dials `listener`, who listens at rig.url; both are opened if they were not. */
void rig_connect(struct node *dialer, struct node *listener);

/* ---- a raw peer that dials */

struct raw {
	struct pipe_owner owner;
	struct pipe_dial dial;
	struct pipe *pipe;
	const char *name;
	const char *key;
	uint64_t incarnation;
	uint32_t version;     /* the oldest */
	uint32_t version_max; /* 0: as processes of version 1 say it */
	Link__Role role;
	uint64_t session;     /* told in hello; after raw_greet() the one agreed on */
	uint64_t handled_seq; /* told in hello */
	uint64_t told;	      /* the session the listener told */
	struct buf hello;     /* ours, the frame */
	struct buf hello_theirs;
	uint64_t acked_seq; /* what they acknowledged */
	uint64_t envelopes; /* of theirs */
	bool has_proof;	    /* of theirs, the right one */
	bool is_connected;
	bool is_closed;
};

/* Dials rig.url and waits for the pipe. */
void raw_open(struct raw *raw, const char *name);
void raw_close(struct raw *raw);
void raw_send(struct raw *raw, struct slice frame);
void raw_send_hello(struct raw *raw);
void raw_send_proof(struct raw *raw);

/* `n` Invokes numbered as their sequence numbers. */
void raw_send_batch(struct raw *raw, uint64_t first_seq, unsigned n, uint64_t ack_seq);

/* The whole greeting; the listener's proof is checked. */
void raw_greet(struct raw *raw);

#endif
