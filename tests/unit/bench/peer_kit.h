/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of the test's own on loopback, played step by step beside the loop of the
 * client under test: what came is looked at, what it answers is written down.
 */
#ifndef TESTS_UNIT_BENCH_PEER_KIT_H
#define TESTS_UNIT_BENCH_PEER_KIT_H

#include "bench/carrier.h"

#define PEER_CONNS_MAX 8

struct peer {
	struct loop *loop;
	struct intake intake;
	struct carrier_site site; /* of the server */
	int listener;
	int conns[PEER_CONNS_MAX]; /* in the order of their coming; -1: closed */
	size_t conns_n;
	struct buf came[PEER_CONNS_MAX]; /* not looked at yet */

	/* what the carrier has told its owner */
	struct carrier_owner owner;
	struct buf heard; /* bytes, with '|' behind each call */
	int opened_n;
	const char *ended; /* NULL: it has not */
};

void peer_init(struct peer *peer);
void peer_fini(struct peer *peer);

/* A carrier to it, with id "ID" and bearer "TOKEN". */
struct carrier *peer_carrier(struct peer *peer, const struct carrier_ops *ops);

/* Turns until `conn` has brought `n` bytes that were not looked at; fails in time. */
void peer_await_bytes(struct peer *peer, size_t conn, size_t n);

/* Turns until a whole HTTP request, head and body by Content-Length, has come, compares
 * how it begins and its body, and takes it. */
void peer_await_request(struct peer *peer, size_t conn, const char *line,
			const char *body);

void peer_send(struct peer *peer, size_t conn, struct slice bytes);
void peer_hang_up(struct peer *peer, size_t conn);

/* Some turns, so that what is on the way arrives. */
void peer_turn(struct peer *peer);

/* Turns until the owner has heard this, all in all. */
void peer_await_heard(struct peer *peer, const char *text);
void peer_await_open(struct peer *peer);
void peer_await_end(struct peer *peer);

#endif
