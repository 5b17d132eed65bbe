/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of a host, without blocking the loop. Addresses in digits, and
 * "localhost", are known at once; for any other name libc is asked on a thread of its
 * own, one for each question, which takes as long as the machine's resolver allows it
 * (30 s by its defaults, also when nobody waits for the answer any more).
 */
#ifndef PROTO_BASE_RESOLVE_H
#define PROTO_BASE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/base/err.h"
#include "proto/base/loop.h"

/* Of one name; more are not looked at. */
#define RESOLVE_ADDRESSES_MAX 8

struct resolve_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

struct resolve_addresses {
	struct resolve_address items[RESOLVE_ADDRESSES_MAX];
	size_t n;
};

struct resolve;
struct resolve_job;

/* OK: at least one. ERR_NOT_FOUND: none; ERR_AGAIN: the resolver could not tell. May
 * start the next question. */
typedef void resolve_fn(struct resolve *resolve, enum err rc,
			const struct resolve_addresses *addresses);

struct resolve {
	resolve_fn *fn;
	struct resolve_job *job; /* shared with its thread; NULL: nothing is asked */
	struct loop_io io;
};

void resolve_init(struct resolve *resolve, resolve_fn *fn);

/* Fills `addresses` for a host that needs no resolver; else ERR_AGAIN. */
MUST_CHECK enum err resolve_at_once(const char *host, uint16_t port,
				    struct resolve_addresses *addresses);

/* Asks; fn is called in a later turn. Not while one is asked. ERR_IO: no thread. */
MUST_CHECK enum err resolve_start(struct resolve *resolve, struct loop *loop,
				  const char *host, uint16_t port);

/* fn will not be called; the thread ends by itself. Harmless when nothing is asked. */
void resolve_cancel(struct resolve *resolve);

#endif
