/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared text without a network: a server that puts operations in order, and clients as
 * docs/clients/src/shared_text.ts is one: each edits its own text at once, has one
 * operation under way, and takes in those of the others as they come.
 */
#ifndef TESTS_UNIT_ROUTER_OT_CLIENT_H
#define TESTS_UNIT_ROUTER_OT_CLIENT_H

#include "router/hubs/ot.h"

#define OT_TEXT_ROOM 1024
#define OT_LOG_MAX 512
#define OT_QUEUE_MAX 16

struct ot_entry {
	struct ot_op op; /* of one range */
	size_t author;
};

struct ot_server {
	uint16_t units[OT_TEXT_ROOM];
	struct ot_text text;
	struct ot_entry log[OT_LOG_MAX]; /* that of version n is at n - 1 */
	size_t version;
	uint64_t transforms;
	uint64_t cut; /* operations that became several */
	uint64_t retained;
};

struct ot_client {
	size_t number;
	struct slice user;
	uint16_t units[OT_TEXT_ROOM];
	struct ot_text text;
	size_t version;
	struct ot_op queue[OT_QUEUE_MAX]; /* the first is under way if is_waiting */
	size_t queue_n;
	bool is_waiting;
	bool is_in_transit; /* ... and the server has not seen it */
	struct ot_op sent;  /* as it left */
	size_t sent_base;
};

void ot_server_init(struct ot_server *server, struct slice text);
void ot_client_init(struct ot_client *client, size_t number, struct slice user,
		    const struct ot_server *server);

/* Changes the client's own text; the operation must fit. */
void ot_client_edit(struct ot_client *client, const struct ot_op *op);

/* Sends the next operation, if none is under way. */
bool ot_client_send(struct ot_client *client);

/* The server takes what is in transit: against everything since its base. */
bool ot_server_take(struct ot_server *server, struct ot_client *client);

/* The client takes the next operation of the server's order, its own included. */
bool ot_client_receive(struct ot_client *client, struct ot_server *server);

#endif
