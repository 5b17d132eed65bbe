/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a request comes from and what it was sent to, when proxies may stand between: the
 * X-Forwarded- headers of those that are trusted are believed, of nobody else. Pure.
 */
#ifndef GATEWAY_PROXY_H
#define GATEWAY_PROXY_H

#include <stdbool.h>

#include "gateway/address.h"
#include "proto/base/arena.h"
#include "proto/base/http_parse.h"

struct proxy_view {
	struct address address; /* of the client */
	const char *remote;	/* the same as text, "127.0.0.1:40112"; without the port
				   when a proxy has told it */
	bool is_https;		/* between the client and its first proxy */
	struct slice host;	/* as the client wrote it, with its port */
};

/*
 * `peer` is who holds the socket, `is_tls` whether it speaks TLS with us; `trusted` is
 * the option trusted_proxies. What the view borrows is the request's, the peer's or the
 * arena's.
 */
void proxy_look(struct proxy_view *view, const char *trusted, const char *peer,
		bool is_tls, const struct http_request *request, struct arena *arena);

#endif
