/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker without sockets, for testing scenarios: its clients are ready at once, what
 * they say is kept as lines of text, and the test says what comes back.
 *
 *	struct kit *kit = kit_new("echo", &conf, 0, 4);
 *
 *	kit_due(kit, 1);
 *	kit_expect(kit, "2 echo #0 ~2.0.1");        client 2, invocation 0, payload
 *	kit_answer(kit, 2, 0, kit->last, false);
 *
 * A payload is shown as ~sender.target.seq, a target as its kind and number.
 */
#ifndef TESTS_UNIT_BENCH_SCENARIO_KIT_H
#define TESTS_UNIT_BENCH_SCENARIO_KIT_H

#include <criterion/criterion.h>

#include "bench/worker.h"
#include "proto/base/buf.h"

struct kit {
	struct worker worker;
	struct bench_conf conf;
	struct dialect dialect;
	struct stats stats;
	struct buf said;    /* lines since the last kit_expect() */
	char payload[4096]; /* the last payload made */
	size_t payload_len;
	char id[32];	   /* of the last invocation */
	char failure[256]; /* of worker_fail(); empty: none */
	uint32_t set_up_n;
	bool is_wordless; /* the dialect knows no verb at all */
	char folder[32];  /* of its own, until kit_free() */
	char path[48];	  /* in it: conf.history */
	char history[56]; /* what worker 0 makes of that */
};

/* Worker `number` of two or more, whose clients are first .. first + n - 1, ready and
 * with ids; in PHASE_SET_UP. */
struct kit *kit_new(const char *scenario, const struct bench_conf *conf, uint32_t first,
		    uint32_t n);
void kit_free(struct kit *kit);

/* init, then set_up of all clients, whose answers are good; then PHASE_MEASURE. */
void kit_start(struct kit *kit);

/* on_due(); what it returned. */
bool kit_due(struct kit *kit, int64_t due_us);

/* What was said since the last call, line by line. */
void kit_expect(struct kit *kit, const char *lines);
void kit_forget(struct kit *kit); /* ... is of no interest */

/* The answer to an invocation of a client, given by global number. */
void kit_answer(struct kit *kit, uint32_t client, uint32_t number, struct slice result);
void kit_answer_error(struct kit *kit, uint32_t client, uint32_t number);

/* The last payload arrives at the client as a message. */
void kit_deliver(struct kit *kit, uint32_t client);
struct slice kit_payload(const struct kit *kit);

#endif
