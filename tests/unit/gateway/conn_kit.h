/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway without sockets, for the suites of its core: gateway_proc_ops starts and
 * stops it, the clock stands until it is told, peers are a session (the real one) whose
 * other end the test plays, and transports write down what they are given. What stands in
 * for the loop, the links and the process is defined in fake_*.h, which the suite
 * includes.
 *
 * In all texts '~' stands for the byte that ends a hub message. Connections are named by
 * a letter; their id is that letter over and over.
 */
#ifndef TESTS_UNIT_GATEWAY_CONN_KIT_H
#define TESTS_UNIT_GATEWAY_CONN_KIT_H

#include "gateway/gateway.h"
#include "tests/unit/gateway/loop_kit.h"

/* ---- the stand-ins */

struct proc {
	struct loop *loop;
	struct gateway_conf conf;
	bool is_draining;
	bool is_drained;
	bool is_edge_drained;
	bool is_drain_asked; /* by workers_drain() */
};

struct link {
	struct link_options options;
	struct list peers;
	struct list removed;
};

struct link_peer {
	uint32_t version; /* 0: ours */
	bool is_crowded;
	int64_t patience_ms;
	struct list node;
	struct link *link;
	char name[LINK_NAME_MAX + 1];
	Link__Role role;
	uint64_t incarnation; /* 0: never came up */
	int64_t away_ms;
	int64_t age_ms; /* of what it says */
	bool is_up;
	bool is_removed;
	bool shows_shards; /* peer_expect() leaves out what is told of maps, but for this
			    */
	int resets;
	void *owner;
	struct session session;
};

/* The peer comes up and has nothing of us: first, or as another incarnation. */
void fake_peer_renew(struct link_peer *peer, uint64_t incarnation);
void fake_peer_down(struct link_peer *peer);

/* Too much waits for it, or no longer. */
void fake_peer_crowd(struct link_peer *peer, bool is_crowded);

/* The same session goes on. */
void fake_peer_resume(struct link_peer *peer);

/* What is sent next reaches the peer; NULL: nothing more. Freed by the caller. */
Link__Envelope *fake_peer_next(struct link_peer *peer);

/* The peer has handled all that reached it. */
void fake_peer_ack(struct link_peer *peer);

/* ---- the transport */

struct wire {
	struct transport transport;
	struct list node;  /* in kit->wires */
	struct conn *conn; /* dangles once it is freed */
	struct buf out;	   /* what the client got */
	bool is_stuck;	   /* the client reads nothing: out counts as queued */
	bool is_paused;
	bool is_closed;
	bool is_error; /* ... as failed */
	bool is_aborted;
	const struct blob *last; /* as given, dangles */
	uint32_t last_refs;	 /* what it had before this transport's own */
};

/* Two kinds, to tell what is shared between connections of a kind from what is not. */
extern const struct transport_ops wire_ops;
extern const struct transport_ops wire_other_ops;

/* How often either was asked to wrap. */
extern int wire_wraps;

/* ---- the kit */

struct kit {
	struct proc proc;
	struct loop loop;
	struct gateway *gateway;
	struct gateway_conf *conf;
	struct gateway_metrics *metrics;
	struct link_peer *router; /* the first */
	struct list wires;
	char name[64]; /* of the last kit_name_of() */
};

/* Fills the configuration with small round numbers, which a test may change; then starts
 * the gateway, with every peer up. */
void kit_init(struct kit *kit);
void kit_start(struct kit *kit);

/* Gives an option of text another value. */
void kit_set(char **option, const char *value);

/* kit_init() and kit_start(). */
void kit_up(struct kit *kit);

/* Stops the gateway as it stands and frees all. */
void kit_stop(struct kit *kit);

void kit_turn(struct kit *kit);
void kit_wait(struct kit *kit, int64_t ms);

struct link_peer *kit_router(const struct kit *kit, size_t i);

/* The peer says which map it goes by. */
void kit_shards(struct kit *kit, struct link_peer *from, uint64_t epoch,
		enum shard_phase phase, const char *routers, const char *next);

/* A name that starts with `prefix` and whose key, of that kind, is owned by router `i`.
 */
const char *kit_name_of(struct kit *kit, Link__Kind kind, size_t i, const char *prefix);

/* ---- clients */

/* Before its handshake. `user` may be NULL. */
struct wire *kit_dial(struct kit *kit, char letter, const char *user);
struct wire *kit_dial_over(struct kit *kit, const struct transport_ops *ops, char letter,
			   const char *user);

/* After it; the peers have handled what they were told of it. */
struct wire *kit_open(struct kit *kit, char letter, const char *user);

/* The same with stateful reconnect, and its next transport. */
struct wire *kit_open_stateful(struct kit *kit, char letter);
struct wire *kit_attach(struct kit *kit, struct conn *conn);

/* A stuck client reads on. */
void wire_drain(struct wire *wire);

void wire_in(struct wire *wire, const char *text);

/* At most `len` bytes of it. */
void wire_in_part(struct wire *wire, const char *text, size_t len);

/* What the client got since the last call. */
void wire_expect(struct wire *wire, const char *text);

/* The connection ended: out in order, out as failed, aborted. */
void wire_expect_end(const struct wire *wire, const char *how);

bool wire_is_open(const struct wire *wire);

/* ---- peers */

/* What was sent to the peer since the last call, one "; " behind each message; without
 * reports. */
void peer_expect(struct link_peer *peer, const char *text);

/* Of the last request among them, for how long it is good. */
extern uint64_t peer_good_ms;
/* Its poll_id. */
extern uint64_t peer_poll_id;

/* It reads and handles all it was sent. */
void peer_handle(struct link_peer *peer);

/* The router has run on_connected, as peer_handle() has for all that is new. */
void peer_begin(struct link_peer *peer, struct slice id);

/* Sends until the window holds nothing more. */
void peer_fill(struct link_peer *peer);

/* All peers do. */
void kit_settle(struct kit *kit);

/* From a router. */
void kit_complete(struct kit *kit, char letter, uint64_t call, const char *frame);
void kit_push(struct kit *kit, char letter, const char *frame);
void kit_credit(struct kit *kit, char letter, const char *stream, uint32_t items);
void kit_abort(struct kit *kit, char letter, const char *error, bool allow_reconnect);
void kit_join(struct kit *kit, char letter, const char *group, bool is_leave,
	      uint64_t call);

/* Of JSON `frame`; `excluded` lists letters. */
void kit_deliver(struct kit *kit, Link__Kind kind, const char *name, const char *excluded,
		 const char *frame);
void kit_receive(struct kit *kit, Link__Envelope *envelope);

struct slice kit_id(char letter);

/* The text in it, NUL-terminated, with the end byte shown. */
const char *kit_shown(struct buf *buf);

#endif
