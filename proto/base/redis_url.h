/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a Redis is:
 *
 *	redis://[user@]host[:port][/db]                           a server
 *	unix://[user@]/path[?db=n]                                its socket file
 *	redis-sentinel://[user@]host[:port],host[:port].../master[/db]
 *
 * The last asks those Sentinels for the address of `master`. IPv6 addresses stand in
 * brackets. No password: that is a secret, and comes from a file. Pure.
 */
#ifndef PROTO_BASE_REDIS_URL_H
#define PROTO_BASE_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/base/slice.h"

#define REDIS_PORT 6379
#define REDIS_SENTINEL_PORT 26379

#define REDIS_SENTINELS_MAX 9
#define REDIS_HOST_BYTES_MAX 253
#define REDIS_USER_BYTES_MAX 128
#define REDIS_MASTER_BYTES_MAX 128
#define REDIS_DB_MAX 65535

/* A host and a port, or a path that begins with '/' and no port. */
struct redis_address {
	char host[REDIS_HOST_BYTES_MAX + 1];
	uint16_t port;
};

struct redis_url {
	struct redis_address addresses[REDIS_SENTINELS_MAX];
	size_t addresses_n; /* 1 when it names no Sentinels */
	char user[REDIS_USER_BYTES_MAX + 1];
	char master[REDIS_MASTER_BYTES_MAX + 1]; /* empty: the address is Redis's own */
	unsigned db;
};

/* ERR_ARGUMENT: `problem` is a constant that says what is wrong with it. */
MUST_CHECK enum err redis_url_parse(struct slice text, struct redis_url *url,
				    const char **problem);

/* Sets a host of good length and characters; else ERR_ARGUMENT. */
MUST_CHECK enum err redis_address_set(struct redis_address *address, struct slice host,
				      int64_t port);

bool redis_address_is_path(const struct redis_address *address);

/* The bytes of redis_address_text(): host, brackets, colon, port, NUL. */
#define REDIS_ADDRESS_TEXT_BYTES (REDIS_HOST_BYTES_MAX + 9)

/* "host:port", "[::1]:6379" or the path, for logs. */
const char *redis_address_text(const struct redis_address *address,
			       char text[REDIS_ADDRESS_TEXT_BYTES]);

#endif
