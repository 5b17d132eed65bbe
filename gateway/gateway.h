/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one gateway worker, made in gateway_start() and passed down. Everything
 * runs on its loop's thread.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/conf.h"
#include "gateway/conn.h"
#include "gateway/hub.h"
#include "gateway/index.h"
#include "gateway/metrics.h"
#include "proto/base/arena.h"
#include "proto/base/health.h"
#include "proto/base/http_files.h"
#include "proto/base/http_server.h"
#include "proto/base/proc.h"
#include "proto/link/link.h"
#include "proto/link/shards.h"

/* One router shard as the gateway knows it. */
struct gateway_router {
	struct gateway *gateway; /* borrowed */
	struct link_peer *peer;	 /* borrowed from the link */
	struct list calls; /* Invokes without a Complete, in the order they were sent */
	uint64_t incarnation;	  /* that was replayed to; 0: none yet */
	struct loop_flush flush;  /* invoke.c: tells clients of lost calls */
	struct loop_flush resync; /* join.c: an answer did not fit on the link */
};

struct gateway {
	struct proc *proc;		 /* borrowed */
	struct loop *loop;		 /* borrowed */
	const struct gateway_conf *conf; /* borrowed from proc */
	struct gateway_metrics metrics;
	struct link *link; /* owned */
	struct shards shards;
	struct gateway_router *routers; /* owned; as shards.items */
	struct link_peer *presence; /* borrowed from the link; NULL: none configured */
	struct hubs hubs;
	struct map conns; /* all, the closed ones that wait included, by id */
	struct index index;
	struct auth *auth;	     /* owned */
	struct token_key *token_key; /* owned */
	struct ws_host *ws;	     /* owned; the WebSocket transports */
	struct http_server *server;  /* owned; clients */
	struct health *admin;	     /* owned; NULL: none */
	struct http_files *demo;     /* owned; NULL: none */
	struct timer lease_timer;
	struct timer drain_timer;
	struct loop_flush fence; /* replay.c */
	struct list joins;	 /* join.c: on their way to the keys' owners */
	int64_t drain_end_ms;	 /* all connections are told by then */
	uint32_t sweep_mark;	 /* deliver.c */
	uint64_t last_call;	 /* invoke.c: numbers the calls of all connections */
	struct blob
		*pings[TRANSPORT_KINDS]; /* owned; conn.c: shared by all who are idle */
	struct arena arena;		 /* of the message being read */
};

/* By id, the closed ones that wait included; NULL: none. */
struct conn *gateway_conn_find(const struct gateway *gateway, struct slice id);

/* The router that owns the key. */
struct gateway_router *gateway_owner(struct gateway *gateway, const struct hub *hub,
				     Link__Kind kind, struct slice name);

/* To every router: one that never heard of this gateway confirms sends to all without it.
 */
bool gateway_is_known(const struct gateway *gateway);

extern const struct proc_ops gateway_proc_ops;

#endif
