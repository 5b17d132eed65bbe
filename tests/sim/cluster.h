/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster of a schedule: its processes and clients.
 */
#ifndef TESTS_SIM_CLUSTER_H
#define TESTS_SIM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/buf.h"
#include "tests/sim/client.h"
#include "tests/sim/node.h"

#define CLUSTER_HUB "sim"
#define CLUSTER_HTTP_PORT 8080u
#define CLUSTER_GATEWAYS_MAX 4u
#define CLUSTER_ROUTERS_MAX 5u
#define CLUSTER_CLIENTS_MAX 16u
#define CLUSTER_NODES_MAX (CLUSTER_GATEWAYS_MAX + CLUSTER_ROUTERS_MAX + 1)

enum cluster_role { ROLE_GATEWAY, ROLE_ROUTER, ROLE_PRESENCE };

struct cluster {
	struct sim_node *nodes[CLUSTER_NODES_MAX]; /* gateways, routers, presence */
	enum cluster_role roles[CLUSTER_NODES_MAX];
	bool is_wanted[CLUSTER_NODES_MAX]; /* a router: in the list of them */
	unsigned nodes_n;
	unsigned gateways_n;
	unsigned routers_n;
	struct client clients[CLUSTER_CLIENTS_MAX];
	unsigned clients_n;
	int key;	      /* a descriptor of the secret file */
	unsigned handed_over; /* connections, from gateways that left */
};

extern struct cluster cluster;

/* Nothing is started yet. `spare` routers more than those of the list are there. */
void cluster_make(unsigned gateways, unsigned routers, unsigned spare, unsigned clients);

/* The list of routers changes to those that are wanted now: new ones are started, and
 * presence is told. */
void cluster_reshard(void);

/* It was started before, or is to be at the beginning. */
bool cluster_is_used(unsigned i);

void cluster_start_node(unsigned i);

/* The host of a gateway, which may be down. */
unsigned cluster_any_gateway(void);

/* A client's proof of who it is. */
void cluster_jwt(struct buf *jwt, unsigned user);

/* All up, with all their peers. */
bool cluster_is_ready(void);

/* Every client is connected and waits for no answer. */
bool cluster_is_calm(void);

/* Fails for what is over its limit; what is left of clients when all have gone. */
void cluster_check_limits(void);
const char *cluster_left(void);

/* Fails unless presence knows exactly who is connected. */
bool cluster_presence_is_exact(void);

#endif
