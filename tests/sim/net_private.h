/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What net.c (streams) and net_fault.c (what happens to them) share.
 */
#ifndef TESTS_SIM_NET_PRIVATE_H
#define TESTS_SIM_NET_PRIVATE_H

#include "proto/base/list.h"
#include "tests/sim/net.h"
#include "tests/sim/sim.h"

enum packet_kind { PACKET_SYN, PACKET_OPEN, PACKET_DATA, PACKET_END, PACKET_RESET };

struct packet {
	struct list node;
	enum packet_kind kind;
	int64_t due;
	size_t len;
	char bytes[];
};

/* From one end to the other. */
struct way {
	struct net_end *from;
	struct net_end *to;
	struct list packets;
	struct sim_event event; /* the first of them */
	struct list node;	/* in net.ways, in the order they were made */
	int64_t due;		/* of the last one */
	size_t used;		/* sent and not read */
	bool is_stalled;
};

struct chunk {
	struct list node;
	size_t at;
	size_t len;
	char bytes[];
};

struct net_end {
	unsigned host;
	unsigned port;	 /* of a SYN */
	struct way *out; /* NULL: not yet */
	struct way *in;
	struct list chunks; /* came, not read */
	net_wake_fn *wake;
	void *owner;
	struct list node; /* in the listener's arrivals */
	size_t window;
	bool is_open;
	bool is_ended; /* the other side's end has come */
	bool is_shut;
	bool is_reset;
	bool is_closed; /* by its owner */
	bool is_mute;	/* of a machine that is off, or a stream that nobody carries */
};

struct net_listener {
	struct list node;
	struct list arrivals;
	unsigned host;
	unsigned port;
	net_wake_fn *wake;
	void *owner;
	bool is_closed;
};

struct net {
	struct list listeners;
	struct list ways;
	bool is_blocked[NET_HOSTS_MAX][NET_HOSTS_MAX];
	int64_t delay[NET_HOSTS_MAX][NET_HOSTS_MAX];
	int64_t jitter[NET_HOSTS_MAX][NET_HOSTS_MAX];
	uint64_t bytes_total;
	bool is_there;
};

extern struct net net;

void net_init(void);

/* What is on its way is gone. */
void net_way_drop(struct way *way);

/* The end has been told that the stream is lost. */
void net_end_reset(struct net_end *end);

#endif
