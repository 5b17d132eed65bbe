/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's socket: first HTTP, one request and its answer; behind a 101 WebSocket
 * frames. What its owner is told, it is told in an event of its own, never from inside a
 * call.
 */
#ifndef TESTS_SIM_WIRE_H
#define TESTS_SIM_WIRE_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/slice.h"
#include "tests/sim/net.h"
#include "tests/sim/sim.h"

struct wire;

struct wire_ops {
	/* The whole answer to the request; of a 101 without a body. */
	void (*on_answer)(struct wire *wire, int status, struct slice body);
	/* One hub message, without the 0x1E behind it. */
	void (*on_message)(struct wire *wire, struct slice text);
	/* The socket is at its end, in order or not; it is closed. */
	void (*on_end)(struct wire *wire);
};

struct wire {
	const struct wire_ops *ops;
	struct net_end *end; /* NULL: closed */
	struct sim_event event;
	struct buf in;
	struct buf messages; /* payloads of frames, not yet cut */
	struct buf out;
	bool is_websocket;
	bool is_over;	/* a Close frame came */
	bool is_frozen; /* reads nothing */
};

void wire_init(struct wire *wire, const struct wire_ops *ops);

/* Must be closed. */
void wire_open(struct wire *wire, unsigned from, unsigned to, unsigned port);
bool wire_is_open(const struct wire *wire);
void wire_send_request(struct wire *wire, struct slice request);

/* As one WebSocket message; the 0x1E is added. */
void wire_send_message(struct wire *wire, struct slice text);

/* `is_proper`: with a Close frame. Nothing is told any more. */
void wire_close(struct wire *wire, bool is_proper);

/* Reads nothing for as long. */
void wire_freeze(struct wire *wire, bool is_frozen);

#endif
