/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole router without sockets, for testing hubs and what serves them. The router, its
 * link and its peers are real; the peers have no stream, so what is sent to them waits in
 * their sessions, where the kit reads it as lines of text:
 *
 *	struct kit *kit = kit_new(&my_hub);
 *
 *	kit_connect(kit, kit->g1, "c1", "ann");
 *	kit_invoke(kit, kit->g1, "c1", "7", "Greet", "[\"bob\"]");
 *	kit_turn(kit);
 *	kit_expect(kit, kit->g1, "deliver all {...}");
 *	kit_ack(kit, kit->g1);
 *	kit_expect(kit, kit->g1, "complete c1 1 {...}");
 *	kit_free(kit);
 *
 * What peers say is handed to the router by kit_hear_*(), packed and unpacked once:
 * nothing of it outlives the call.
 */
#ifndef TESTS_UNIT_ROUTER_HUB_KIT_H
#define TESTS_UNIT_ROUTER_HUB_KIT_H

#include <criterion/criterion.h>

#include "proto/link/link.h"
#include "router/hub.h"
#include "router/hub_conf.h"
#include "router/hubtest/stage.h"
#include "router/router.h"

struct kit {
	struct stage stage;
	struct loop *loop;	 /* the stage's, as the router and presence */
	struct router_conf conf; /* the router reads it; may be changed on the way */
	struct router *router;
	const char *hub;   /* of what is connected from now on */
	uint32_t protocol; /* ... and its hub protocol; JSON unless set */
	struct link_peer *g1;
	struct link_peer *g2;
	struct link_peer *r2;	    /* NULL: the router is alone */
	struct link_peer *presence; /* as all of these, known to be up from the start */
	bool is_of_shards;	    /* else kit_said() passes over who owns what */
	bool is_of_begins;	    /* else over on_connected's ends */
	uint64_t last_invoke;	    /* number of the last kit_invoke() */
	uint64_t call;		    /* in what kit_said() last returned */
	struct arena arena;	    /* kept until kit_free() */
};

/* Small limits do not matter unless the test sets them. */
struct router_conf kit_conf(void);

/* A router alone in its cluster, with two gateways that have replayed. `module` is served
 * next to the built-in hubs and may be NULL. */
struct kit *kit_new(const struct hub_module *module);

/* Of this configuration, still rebuilding. With "r1=...,r2=..." there is an r2. */
struct kit *kit_new_conf(const struct hub_module *module, const struct router_conf *conf);

/* Stops the router as the program does. */
void kit_free(struct kit *kit);

/* Of kit->hub; it may be changed on the way. */
struct hub_conf *kit_hub_conf(struct kit *kit);

/* Sets an option of kit->hub's own, and reads the configuration again. */
void kit_hub_option(struct kit *kit, const char *option, const char *value);

void kit_turn(struct kit *kit);

/* Turns until `*is_done`; waits for timers. Fails the test after 5 s. */
void kit_turn_until(struct kit *kit, const bool *is_done);

/* ---- what the router sends */

/* The next message for that peer as text; "" when there is none. */
const char *kit_said(struct kit *kit, struct link_peer *peer);

/* A request that is good for longer has "too much time". */
#define KIT_LEFT_MS_MAX 3600000

#define kit_expect(kit, peer, ...)                                                       \
	do {                                                                             \
		const char *kit_want = kit_text((kit), __VA_ARGS__);                     \
		const char *kit_got = kit_said((kit), (peer));                           \
		cr_assert_str_eq(kit_got, kit_want, "said: %s\nwant: %s", kit_got,       \
				 kit_want);                                              \
	} while (0)
#define kit_expect_silence(kit, peer) kit_expect(kit, peer, "%s", "")

/* One message as kit_said() returns it; keeps its call's number in kit->call. */
void kit_write(struct kit *kit, struct buf *out, const Link__Envelope *envelope);

const char *kit_text(struct kit *kit, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The peer has handled all that kit_said() returned. */
void kit_ack(struct kit *kit, struct link_peer *peer);

/* Passes over, and acknowledges, all that waits for the peer. */
void kit_skip(struct kit *kit, struct link_peer *peer);

/* ---- what peers say and do */

#define KIT_HEAR_DECLARE(lower, camel, upper, keep, since)                               \
	void kit_hear_##lower(struct kit *kit, struct link_peer *peer,                   \
			      const Link__##camel *message);
LINK_MESSAGES(KIT_HEAR_DECLARE)
#undef KIT_HEAR_DECLARE

/* Texts may be NULL for empty. */
void kit_connect(struct kit *kit, struct link_peer *gateway, const char *id,
		 const char *user);
void kit_disconnect(struct kit *kit, struct link_peer *gateway, const char *id);
/* Numbered from 1 on; `invocation_id` NULL: no answer is wanted. */
void kit_invoke(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments);
/* The same, asking for a stream. */
void kit_stream(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments);
/* The same, sending up the streams that the list names: "u1,u2". */
void kit_upload(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id, const char *target, const char *arguments,
		const char *stream_ids);
void kit_item(struct kit *kit, struct link_peer *gateway, const char *id,
	      const char *stream_id, const char *item);
/* The end of such a stream, or the answer to a question; `result` and `error` may be
 * NULL. */
void kit_completion(struct kit *kit, struct link_peer *gateway, const char *id,
		    const char *of, const char *result, const char *error);
void kit_cancel(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *invocation_id);
void kit_flow(struct kit *kit, struct link_peer *gateway, const char *id,
	      bool is_blocked);
void kit_member(struct kit *kit, struct link_peer *gateway, Link__Kind kind,
		const char *name, const char *id, bool is_gone);
/* Answers the join or leave that kit_said() last returned. */
void kit_joined(struct kit *kit, struct link_peer *gateway, const char *id,
		const char *group, bool is_leave, enum err rc);
void kit_replayed(struct kit *kit, struct link_peer *gateway);
/* Presence names these; NULL ends the list early. */
void kit_topology(struct kit *kit, bool is_settled, const struct link_peer *a,
		  const struct link_peer *b);

/* One more gateway; it is up and has not replayed. */
struct link_peer *kit_gateway(struct kit *kit, const char *name);

/* It starts over with us, the same process. */
void kit_renew(struct kit *kit, struct link_peer *peer);

/* It comes back as another process. */
void kit_restart(struct kit *kit, struct link_peer *peer);

/* A gateway was away for too long. Its pointer is dead at the end of the turn. */
void kit_gone(struct kit *kit, struct link_peer *gateway);

/* ---- presence (hub_kit_presence.c) */

/* It tells of a user; `id` counts up. */
void kit_user(struct kit *kit, const char *id, Link__Change change, const char *user_id,
	      const char *user_name);

/* ---- the log (hub_kit_log.c) */

/* What is logged from now on, before kit_new(), is kept; lines below info are not. */
void kit_open_log(void);

bool kit_log_is_open(void);

/* All that was. */
const char *kit_logged(struct kit *kit);

/* ---- placing */

/* A name whose key of that kind in kit->hub is owned by r1 (`is_own`) or r2. */
const char *kit_name(struct kit *kit, Link__Kind kind, bool is_own);
/* The same, beginning with `prefix`. */
const char *kit_name_from(struct kit *kit, Link__Kind kind, const char *prefix,
			  bool is_own);

#endif
