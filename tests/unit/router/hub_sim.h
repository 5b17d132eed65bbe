/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients of test_hub_sim.c, what they know of their calls, and the hub they call.
 */
#ifndef TESTS_UNIT_ROUTER_HUB_SIM_H
#define TESTS_UNIT_ROUTER_HUB_SIM_H

#include "tests/unit/router/hub_kit.h"

#define SIM_STEPS 400
#define SIM_CONNS 6
#define SIM_CALLS_MAX (SIM_STEPS + 1) /* the first has number 1 */
#define SIM_LATE_MAX 1024
#define SIM_WORD_MAX 32

extern const struct hub_module sim_hub;

struct sim_conn {
	char id[SIM_WORD_MAX];
	struct link_peer *gateway;
	bool is_open;
	unsigned life; /* connections that had this id before */
};

struct sim_call {
	struct sim_conn *conn;
	unsigned life;	  /* of the connection, when it was made */
	bool is_stream;	  /* the client takes items */
	bool is_upload;	  /* ... and sends some */
	bool is_endless;  /* until it is canceled */
	bool is_ended;	  /* its upload, by the client */
	bool is_canceled; /* by the client */
	bool is_completed;
	bool is_void;  /* its gateway was lost: nothing more may come */
	int64_t items; /* that came down */
	uint64_t sent; /* that went up */
	uint64_t credited;
	int64_t total; /* of those sent up */
};

/* What a peer has not answered yet. */
struct sim_late {
	struct link_peer *gateway;
	uint64_t incarnation; /* the gateway's, when it was asked */
	const char *said;
	uint64_t call; /* kit->call of it */
};

struct sim {
	struct kit *kit;
	struct sim_conn conns[SIM_CONNS];
	struct sim_call calls[SIM_CALLS_MAX]; /* by the gateway's number */
	struct sim_late late[SIM_LATE_MAX];
	size_t late_n;
	uint64_t resyncs;
	bool is_silent; /* peers answer late */
	uint64_t rng;
};

uint64_t sim_random(struct sim *sim, uint64_t below);

struct sim_conn *sim_conn_find(struct sim *sim, const char *id);

/* Its client waits for the end of it. */
bool sim_is_alive(const struct sim_call *call);

/* One of those alive; NULL: it was none. */
struct sim_call *sim_pick_call(struct sim *sim);

/* ---- what clients do */

void sim_open(struct sim *sim, struct sim_conn *conn);
void sim_close(struct sim *sim, struct sim_conn *conn);
void sim_call_any(struct sim *sim, struct sim_conn *conn);
void sim_send_up(struct sim *sim, struct sim_call *call);
void sim_end_upload(struct sim *sim, struct sim_call *call);
void sim_cancel(struct sim *sim, struct sim_call *call);

#endif
