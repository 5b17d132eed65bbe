/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one gateway worker, made in gateway_start() and passed down. Everything
 * runs on its loop's thread.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "gateway/attach.h"
#include "gateway/conf.h"
#include "gateway/conn.h"
#include "gateway/forward.h"
#include "gateway/guard.h"
#include "gateway/hub.h"
#include "gateway/index.h"
#include "gateway/memory.h"
#include "gateway/metrics.h"
#include "gateway/moving.h"
#include "gateway/reshard.h"
#include "gateway/routers.h"
#include "gateway/spent.h"
#include "gateway/sweep.h"
#include "proto/base/arena.h"
#include "proto/base/health.h"
#include "proto/base/http_files.h"
#include "proto/base/http_server.h"
#include "proto/base/intern.h"
#include "proto/base/proc.h"
#include "proto/link/link.h"
#include "proto/link/replicas.h"

/* command.c: the drain that was asked for. */
struct commands {
	struct session_ticket drain_told;
	struct timer drain_timer;
	bool is_draining;
};

struct gateway {
	struct proc *proc;		 /* borrowed */
	struct loop *loop;		 /* borrowed */
	const struct gateway_conf *conf; /* borrowed from proc */
	struct gateway_metrics metrics;
	struct link *link; /* owned */
	struct routers routers;
	struct reshard reshard;
	struct replicas presence;
	struct session_ticket told; /* presence.c: of the replay under way */
	struct commands commands;
	struct hubs hubs;
	struct interns agents;	  /* what clients call themselves */
	struct map conns;	  /* all, the closed ones that wait included, by id */
	struct map claims;	  /* claim.c: by id */
	struct map replies;	  /* reply_link.c: by router, call, asker */
	struct map tunnels;	  /* tunnel.c: by call */
	struct forwards forwards; /* requests about connections held elsewhere */
	struct index index;
	struct auth *auth;	      /* owned */
	struct token_key *token_key;  /* owned */
	struct secrets token_secrets; /* what it is made of */
	struct ws_host *ws;	      /* owned; the WebSocket transports */
	struct sse_host *sse;	      /* owned; the event streams */
	struct lp_host *lp;	      /* owned; the long polling transports */
	struct attaches attaches;     /* requests whose connection is not here */
	struct guard guard;	      /* what one user and one address may do */
	struct spent spent;	      /* ids that may open no second connection */
	struct spent elsewhere;	      /* ... of connections that others held */
	struct http_server *server;   /* owned; clients */
	struct health *admin;	      /* owned; NULL: none */
	struct http_files *demo;      /* owned; NULL: none */
	struct memory memory;
	struct timer drain_timer;
	struct loop_flush fence; /* replay.c */
	struct list joins;	 /* join.c: on their way to the keys' owners */
	struct movings movings;	 /* connections that go over to other gateways, or come */
	int64_t drain_begin_ms;	 /* connections go from then on */
	int64_t drain_end_ms;	 /* ... and all are told by then */
	size_t drain_gone_n;	 /* ... and so many were */
	uint32_t deliver_mark;	 /* deliver.c */
	struct sweeps sweeps;
	uint64_t last_call; /* invoke.c: numbers the calls of all connections */
	/* owned; conn_out.c: shared by all who are idle */
	struct blob *pings[HUB_PROTOCOLS][TRANSPORT_KINDS];
	struct arena arena; /* of the message being read */
};

/* By id, the closed ones that wait included; NULL: none. */
struct conn *gateway_conn_find(const struct gateway *gateway, struct slice id);

extern const struct proc_ops gateway_proc_ops;

#endif
