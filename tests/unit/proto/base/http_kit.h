/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server and its clients in one process, over real loopback sockets: the test turns the
 * loop until what it waits for has come, at most HTTP_KIT_WAIT_MS. Clients never block.
 *
 * The kit's own handler answers by path: /echo gives the body back, /later is answered
 * when the test says so, /take hands the socket to the test, /big is HTTP_KIT_BIG bytes,
 * /last ends its connection, /status/204 and /status/304 say so; anything else is
 * "hello".
 */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

#include "proto/base/http_server.h"

#define HTTP_KIT_WAIT_MS 10000
#define HTTP_KIT_BIG (16u << 20)

struct http_kit {
	struct loop *loop;
	struct http_server *server;
	struct http_options options;
	struct http_stats stats;
	struct http_conn *later; /* the last request to /later, until answered or gone */
	int later_n;
	int gone_n;
	struct sock sock; /* of the last /take */
	int taken;	  /* its descriptor, or -1 */
	struct buf rest;
};

struct http_client {
	int fd;
	struct buf in; /* NUL-terminated behind its length once something came */
	bool is_closed;
	int error; /* errno, when it ended with a reset */
};

/* Legal options with long timeouts, and a loop; change options before http_kit_open(). */
void http_kit_init(struct http_kit *kit);
void http_kit_open(struct http_kit *kit);
void http_kit_fini(struct http_kit *kit);

void http_client_open(struct http_kit *kit, struct http_client *client);
void http_client_close(struct http_client *client);
void http_client_send(struct http_client *client, const char *bytes, size_t len);
void http_client_say(struct http_client *client, const char *text);

/* Turns the loop once, waiting at most a few ms, and takes in what came. */
void http_client_turn(struct http_kit *kit, struct http_client *client);

/* Turns until `text` has come `n` times; fails the test at the deadline. */
void http_client_wait(struct http_kit *kit, struct http_client *client, const char *text,
		      int n);

/* Turns until `len` bytes have come. */
void http_client_wait_len(struct http_kit *kit, struct http_client *client, size_t len);

/* Turns until the server has ended the connection. */
void http_client_wait_end(struct http_kit *kit, struct http_client *client);

bool http_client_has(const struct http_client *client, const char *text);
int http_client_count(const struct http_client *client, const char *text);

/* Turns until *counter == expected. */
void http_kit_wait_int(struct http_kit *kit, const int *counter, int expected);
void http_kit_wait_uint64(struct http_kit *kit, const uint64_t *counter,
			  uint64_t expected);
void http_kit_wait_open(struct http_kit *kit, int64_t expected);

#endif
