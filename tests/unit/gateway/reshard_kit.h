/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with the routers r1 and r2, of which one comes or goes, and which say so.
 *
 * In expected texts '@' stands for a connection, and '$' for a group, that are r1's
 * alone, r2's when there are both.
 */
#ifndef TESTS_UNIT_GATEWAY_RESHARD_KIT_H
#define TESTS_UNIT_GATEWAY_RESHARD_KIT_H

#include "tests/unit/gateway/conn_kit.h"

#define BOTH "r1=a:1,r2=b:2"
#define ONE "r1=a:1"
#define GROUP LINK__KIND__KIND_GROUP
#define CALL "{\"type\":1,\"invocationId\":\"7\",\"target\":\"t\",\"arguments\":[]}~"
#define LATE "{\"type\":1,\"invocationId\":\"8\",\"target\":\"u\",\"arguments\":[]}~"
#define STREAM "{\"type\":4,\"invocationId\":\"9\",\"target\":\"s\",\"arguments\":[]}~"
#define HELLO "{\"protocol\":\"json\",\"version\":1}~"

extern struct kit kit;
extern struct link_peer *r1;
extern struct link_peer *r2; /* NULL: it has not come yet */

void start(const char *routers);

/* In the map; NULL: it is not. */
struct gateway_router *router_named(const char *name);

/* Both say so. */
void phase(uint64_t epoch, enum shard_phase phase, const char *routers, const char *next);

/* r2 comes to r1. */
void grow(uint64_t epoch, enum shard_phase which);

/* All that is told is handled. */
void settle(void);

char mover(void);
const char *moving_group(void);
const char *filled(const char *text, char letter);

#define EXPECT(peer, letter, text) peer_expect((peer), filled((text), (letter)))

/* `item` is what the hub keeps of it; NULL: nothing. */
void released(struct link_peer *from, char letter, const char *item);
void deliver(struct link_peer *from, Link__Kind kind, const char *name);

/* A client that moves, in a group that does, in the phase. */
struct wire *one_in(char letter, enum shard_phase which);

#endif
