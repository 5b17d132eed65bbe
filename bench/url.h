/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's address as it is given: scheme://host[:port][/path][?query]. Pure.
 */
#ifndef BENCH_URL_H
#define BENCH_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define URL_HOST_BYTES_MAX 253

/* Slices of the text. */
struct url {
	struct slice scheme;
	struct slice authority; /* host and port as given: the Host header */
	struct slice host;	/* without brackets */
	uint16_t port;		/* that of the scheme unless given */
	struct slice path;	/* with the query; "/" if there is none */
};

/* Knows http, ws, tcp and nats. ERR_UNSUPPORTED: another scheme, https and wss as well.
 * ERR_MALFORMED. */
MUST_CHECK enum err url_read(struct slice text, struct url *url);

/* Is the host a loopback address or localhost? */
bool url_is_local(const struct url *url);

#endif
