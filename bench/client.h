/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the server under load: negotiate, carrier, handshake, then messages both
 * ways and keep-alive. What it says is the scenario's business; it tells the scenario
 * what it heard. Small, since a worker holds up to 18,000.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/carrier.h"
#include "bench/dialect.h"
#include "proto/base/buf.h"
#include "proto/base/timer.h"

struct worker;

enum client_state {
	CLIENT_IDLE, /* not begun, or ended */
	CLIENT_NEGOTIATING,
	CLIENT_OPENING,
	CLIENT_GREETING,
	CLIENT_READY,
};

struct client {
	struct carrier_owner owner;	 /* of the carrier */
	struct worker *worker;		 /* borrowed */
	struct carrier *carrier;	 /* owned; NULL unless opening or later */
	struct negotiation *negotiation; /* owned; NULL unless negotiating */
	char *connection_id;		 /* owned; NULL unless the scenario needs it */
	void *data;			 /* the scenario's own */
	struct buf partial;		 /* the start of a message */
	struct timer timer; /* connect deadline, keep-alive, or the next try */
	int64_t began_us;
	uint32_t index;		 /* global: 0 .. connections - 1 */
	uint32_t seq;		 /* scenario's: messages sent to its target */
	uint32_t calls;		 /* invocations begun: the next one's number */
	uint32_t awaited;	 /* answers that are due */
	uint32_t answered_calls; /* `calls` when `answered` was last looked at */
	uint64_t answered; /* of the last calls, that one first, those with an answer */
	uint32_t pending;  /* scenario's */
	uint32_t heard_ms; /* when something came last, of loop_now_ms() */
	uint32_t said_ms;  /* when something was sent last */
	uint8_t state;	   /* enum client_state */
	uint8_t tries;	   /* that failed in a row */
	bool is_set_up;	   /* worker_set_up_done() was called for it */
	bool is_returning; /* it ended by itself and is to be set up again */
};

void client_init(struct client *client, struct worker *worker, uint32_t index);

/* Closes what is open, silently; may be opened again. */
void client_close(struct client *client);

/* Begins to connect, in CLIENT_IDLE; the scenario hears on_ready later. A client that
 * fails or ends by itself is the worker's to open again. */
void client_open(struct client *client);
void client_open_later(struct client *client, int64_t delay_ms);

/* As what it counts with conf->users. */
uint32_t client_user(const struct client *client);

/*
 * Sends one message at the end of this turn. With `due_us` >= 0 an answer is awaited: the
 * invocation gets an id that carries the time, which saying->id then is until the next
 * call, and the scenario hears on_answer with its number.
 * ERR_UNSUPPORTED: the dialect has no such verb. ERR_CLOSED: not CLIENT_READY.
 */
MUST_CHECK enum err client_say(struct client *client, struct saying *saying,
			       int64_t due_us);

/* What the scenario's op takes apart from an invocation's answer: when it was due. */
#define CLIENT_ID_BYTES 26
void client_id_write(char out[CLIENT_ID_BYTES], uint32_t number, int64_t due_us);
MUST_CHECK enum err client_id_read(struct slice id, uint32_t *number, int64_t *due_us);

#endif
