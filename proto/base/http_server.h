/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server on the loop: gateways and every admin listener use it. It reads
 * whole requests (head and body within limits), calls the handler, and writes the
 * response at the end of the turn. A handler answers at once, later, or takes the socket
 * over (WebSockets, event streams). The server itself answers malformed requests and
 * closes. A TLS handshake has the head's deadline.
 */
#ifndef PROTO_BASE_HTTP_SERVER_H
#define PROTO_BASE_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/http_parse.h"
#include "proto/base/loop.h"
#include "proto/base/sock.h"

struct http_server;
struct http_conn;

/*
 * A complete request. `request` and its slices die when the handler returns; what a later
 * answer needs is copied. The handler must end in exactly one of http_respond(),
 * http_take_over(), or http_respond() later; `conn` stays valid until then or until
 * on_gone(conn) was called, which tells a handler that answers later that nobody waits.
 */
typedef void http_request_fn(struct http_server *server, struct http_conn *conn,
			     const struct http_request *request);
typedef void http_gone_fn(struct http_conn *conn);

/* Answers, at once, what the server itself refuses with `status`, called `reason`. */
typedef void http_refuse_fn(struct http_conn *conn, int status, const char *reason);

struct http_stats {
	uint64_t accepted_total;
	uint64_t refused_total; /* connections_max, spare_descriptors: closed at accept */
	uint64_t accept_failed_total; /* out of descriptors or memory: accepting paused */
	uint64_t requests_total;
	uint64_t malformed_total; /* answered 4xx or 5xx by the server itself */
	uint64_t timeouts_total;  /* head, body and write; an idle end is not one */
	uint64_t tls_handshakes_total;
	uint64_t tls_failed_total; /* amid the handshake; who said nothing is none */
	int64_t open;		   /* connections now, those taken over not included */
};

struct http_options {
	const char *address; /* "127.0.0.1:8080", "[::1]:0"; port 0: the kernel chooses */
	int64_t connections_max;
	int64_t spare_descriptors; /* of the process's, left to others; may be 0 */
	int64_t body_bytes_max;
	int64_t head_timeout_ms;  /* from the first byte, or accept, to a whole head */
	int64_t body_timeout_ms;  /* likewise, to the whole request with its body */
	int64_t write_timeout_ms; /* the peer may take nothing of what is written */
	int64_t idle_timeout_ms;  /* between requests */
	struct tls *tls;	  /* referenced; NULL: plain HTTP */
	bool is_shared_port;	  /* SO_REUSEPORT: several workers on one port */
	http_request_fn *on_request;
	http_gone_fn *on_gone; /* may be NULL when the handler always answers at once */
	http_refuse_fn *on_refuse; /* NULL: in text/plain */
	void *owner;		   /* http_server_owner() gives it back */
	struct http_stats *stats;  /* counted here; borrowed, may be NULL */
};

/* Binds and listens. ERR_ARGUMENT when the address is not an IP literal (or "localhost")
 * with a port; ERR_IO with errno kept when the system refuses. `options` are copied. */
MUST_CHECK enum err http_server_open(struct loop *loop,
				     const struct http_options *options,
				     struct http_server **server);

/* Stops listening; open requests are finished and answered with Connection: close. */
void http_server_drain(struct http_server *server);

/* Closes everything at once, not from inside on_request. NULL is legal. */
void http_server_close(struct http_server *server);

/* Of connections accepted from now on; referenced. NULL: they are plain. */
void http_server_set_tls(struct http_server *server, struct tls *tls);

void *http_server_owner(const struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

struct http_response {
	int status;
	const char *content_type; /* NULL: no header */
	struct slice body;	  /* copied */
	struct slice headers;	  /* whole "Name: value\r\n" lines, copied */
	bool is_last;		  /* Connection: close */
};

/* Content-Length is sent except with 204; HEAD, 204 and 304 carry no body, though the
 * length told is that of `body`. */
void http_respond(struct http_conn *conn, const struct http_response *response);

/* Writes down the head of an answer that goes on until the connection ends, for who takes
 * the socket over next and sends it. `response` has no body. */
void http_head_encode(struct http_conn *conn, const struct http_response *response,
		      struct buf *head);

/* A text/plain answer. */
void http_respond_text(struct http_conn *conn, int status, const char *text);

/* Gives the socket to the caller, who owns and closes it from now on, as after
 * sock_move(to, ..., fn). What was read beyond the request is appended to `rest`. `conn`
 * is gone. Nothing is written: that is the new owner's, a 101 as well. */
void http_take_over(struct http_conn *conn, struct sock *to, loop_io_fn *fn,
		    struct buf *rest);

/* A pointer of the handler's, for on_gone; NULL at first. Borrowed. */
void http_conn_set_owner(struct http_conn *conn, void *owner);
void *http_conn_owner(const struct http_conn *conn);
struct http_server *http_conn_server(const struct http_conn *conn);
bool http_conn_is_tls(const struct http_conn *conn);
bool http_conn_peer(const struct http_conn *conn, char *name, size_t size);

/* "127.0.0.1:40112"; lives as long as conn. */
const char *http_conn_remote(const struct http_conn *conn);

#endif
