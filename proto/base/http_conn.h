/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of http_server.h, shared by its three files and nobody else: http_server.c
 * listens and accepts, http_conn.c moves a connection from state to state, http_respond.c
 * writes response heads.
 *
 * A connection is in exactly one list (its server's), owns its socket and buffers, and
 * has one timer whose meaning is `deadline`. It is freed at the end of the turn it closed
 * in.
 */
#ifndef PROTO_BASE_HTTP_CONN_H
#define PROTO_BASE_HTTP_CONN_H

#include <sys/socket.h>

#include "proto/base/http_server.h"
#include "proto/base/sock.h"

#define HTTP_REMOTE_BYTES 64
#define HTTP_DATE_BYTES 32
#define HTTP_READ_BYTES 16384

struct http_server {
	struct http_options options; /* address is NULL: it was the opener's */
	struct http_stats own_stats;
	struct http_stats *stats; /* options.stats or own_stats */
	struct loop *loop;
	struct loop_io io;	   /* the listening socket */
	struct timer accept_pause; /* runs while accepting rests */
	struct loop_defer defer;
	struct list conns;
	int64_t open;	/* of this server; stats may be shared with others */
	int64_t fd_end; /* an accepted descriptor is below it */
	uint16_t port;
	bool is_listening;
	bool is_draining;
	bool is_in_handler;
	int64_t date_s; /* the second that `date` tells */
	char date[HTTP_DATE_BYTES];
	char scratch[HTTP_READ_BYTES]; /* one read's bytes, meaningless between reads */
};

enum http_conn_state {
	HTTP_CONN_HEAD,	   /* reads a head, or idles before one */
	HTTP_CONN_BODY,	   /* reads the body of the head at in[0] */
	HTTP_CONN_ANSWER,  /* the handler owes an answer */
	HTTP_CONN_CLOSING, /* the last answer is being written */
	HTTP_CONN_LINGER,  /* our side is shut; waits for the peer to have read it */
	HTTP_CONN_CLOSED   /* out of everything; memory lives until the turn ends */
};

enum http_deadline {
	HTTP_DEADLINE_NONE,
	HTTP_DEADLINE_HEAD,
	HTTP_DEADLINE_BODY,
	HTTP_DEADLINE_IDLE,
	HTTP_DEADLINE_WRITE,
	HTTP_DEADLINE_LINGER
};

struct http_conn {
	struct http_server *server; /* borrowed */
	struct list node;
	struct sock sock;
	struct loop_flush flush;
	struct loop_defer defer;
	struct timer timer;
	struct buf in;	 /* the current request's bytes, and what came behind it */
	struct buf body; /* a chunked body's content */
	struct buf out;	 /* response bytes; the first out_at are sent */
	size_t out_at;
	size_t head_len;    /* of the request in BODY */
	size_t request_len; /* of it with its body; 0 once the handler has returned */
	size_t scanned;	    /* how much of `in` the head parser has seen */
	size_t linger_left;
	int64_t since_ms; /* the deadline's beginning */
	uint64_t requests_n;
	struct http_chunked chunked;
	void *owner; /* borrowed: the handler's */
	enum http_conn_state state;
	enum http_deadline deadline;
	bool is_short; /* the kernel took less than we had */
	bool is_chunked;
	bool is_head; /* the request in ANSWER was a HEAD */
	bool is_keep_alive;
	bool is_minor_0;
	bool is_handling; /* the handler is on the stack */
	bool is_secured;  /* its TLS handshake was counted */
	char remote[HTTP_REMOTE_BYTES];
};

/* Takes the accepted, non-blocking `fd` over. */
void http_conn_open(struct http_server *server, int fd, const struct sockaddr *remote);

/* Tells a waiting handler that nobody waits any more, and closes. */
void http_conn_close(struct http_conn *conn);

/* Between two requests, with nothing read and nothing to write. */
bool http_conn_is_idle(const struct http_conn *conn);

/* "a.b.c.d:port" or "[a::b]:port" of an AF_INET or AF_INET6 address; in
 * http_server.c, beside its other way. */
void http_format_address(const struct sockaddr *address, char text[HTTP_REMOTE_BYTES]);

/* The reason phrase; never NULL. */
const char *http_status_text(int status);

#endif
