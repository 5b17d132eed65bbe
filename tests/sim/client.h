/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client: negotiates at one gateway, connects at any, and while there is traffic joins,
 * leaves and sends at random. A stateful one comes back with what its server and it have
 * not acknowledged, as the official clients do; a plain one begins a new session. Some of
 * these poll.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include <stdbool.h>

#include "tests/sim/history.h"
#include "tests/sim/wire.h"

#define CLIENT_CALLS_MAX 48u
#define CLIENT_SENT_MAX 256u
#define CLIENT_TOKEN_BYTES 128

enum client_state {
	CLIENT_WAITING, /* to try again */
	CLIENT_NEGOTIATING,
	CLIENT_OPENING, /* the WebSocket */
	CLIENT_SHAKING,
	CLIENT_OPEN,
};

enum call_kind { CALL_NONE, CALL_JOIN, CALL_LEAVE, CALL_SEND };

struct call {
	enum call_kind kind;
	unsigned id;
	unsigned what; /* the group or message */
};

enum place { PLACE_OUT, PLACE_CHANGING, PLACE_IN, PLACE_UNKNOWN };

struct client {
	unsigned index;
	unsigned user;
	unsigned host;
	bool is_stateful;
	bool is_polling; /* has no WebSockets */
	bool is_leaving; /* does not come back */
	enum client_state state;
	struct wire wire; /* of a polling one: what it polls by */
	struct sim_event retry;
	struct sim_event act;
	struct sim_event second; /* heartbeat and acknowledgements */
	int64_t heard;
	char token[CLIENT_TOKEN_BYTES];
	struct buf jwt;
	/* ---- polling: what is said goes by POSTs, one at a time */
	struct wire post;
	struct buf said; /* waits for its POST */
	bool is_deleting;
	/* ---- of the session */
	bool has_session;
	unsigned session;
	unsigned calls_last;
	struct call calls[CLIENT_CALLS_MAX];
	unsigned calls_n;
	enum place places[HISTORY_GROUPS];
	/* ---- stateful: message numbers are from 1 */
	struct buf sent[CLIENT_SENT_MAX]; /* not acknowledged, by number */
	uint64_t sent_first;		  /* of them */
	uint64_t sent_last;
	uint64_t got;	 /* counted messages that were handled */
	uint64_t got_at; /* ... or, behind a Sequence, the number of the last one */
	uint64_t acked;
	bool is_resuming; /* no Sequence of the server's yet */
};

void client_init(struct client *client, unsigned index, unsigned user, bool is_stateful);

/* Begins to connect. */
void client_start(struct client *client);

/* Ends the session in order and does not come back. */
void client_leave(struct client *client);

/* The socket breaks: without a word, or as a page that is left. */
void client_drop(struct client *client, bool is_proper);

bool client_is_open(const struct client *client);
bool client_is_idle(const struct client *client); /* nothing is under way */

/* All clients: whether they act, microseconds between two acts in the mean. */
void clients_act(bool is_acting, int64_t mean);

/* One message to everybody it can name, which must come. */
void client_probe(struct client *client);

/* Many sends in a row. */
void client_storm(struct client *client, unsigned n);

struct client_request {
	const char *method;
	const char *path; /* behind the hub's */
	const char *headers;
	struct slice body;
};

/* To any gateway. */
void client_request(struct client *client, struct wire *wire,
		    const struct client_request *request);

/* The handshake's answer, or a message. */
void client_hear(struct client *client, struct slice text);

/* The socket is gone, or a request of a polling client. */
void client_on_lost(struct client *client);

/* ---- client_poll.c */

void client_poll(struct client *client);
void client_on_poll(struct client *client, int status, struct slice body);
void client_post_init(struct client *client);
void client_post(struct client *client, struct slice text);

/* `is_proper`: the gateway is told. */
void client_post_close(struct client *client, bool is_proper);

/* ---- client_calls.c */

void client_calls_forget(struct client *client);
void client_on_completion(struct client *client, unsigned id, bool is_error);
void client_act(struct client *client);
void client_act_later(struct client *client);

/* ---- client_hub.c */

void client_shake(struct client *client);
void client_resume(struct client *client);
void client_on_message(struct client *client, struct slice text);
void client_ack(struct client *client);

/* One message, as its transport has it. */
void client_put(struct client *client, struct slice text);

/* Of type 1 to 5: kept until it is acknowledged. */
void client_say(struct client *client, struct slice text);

/* False: too much is not acknowledged. */
bool client_may_say(const struct client *client);
void client_hub_reset(struct client *client);

/* The server has ended the session. */
void client_on_close(struct client *client);

#endif
