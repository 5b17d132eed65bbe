/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario_join.h"

#include <assert.h>

#include "bench/scenario_groups.h"
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"
#include "proto/base/mem.h"

/* Groups of pairs have numbers of their own, above those of any --groups. */
#define PAIR_GROUP_FIRST TARGET_NUMBER_MAX

enum step {
	STEP_REST,
	STEP_JOIN,
	STEP_SEND,
	STEP_LEAVE,
	STEP_SEND_NOBODY,
};

struct pair {
	enum step step;
	uint32_t number; /* of the invocation that the step waits for */
	uint32_t pair_seq;
	uint32_t nobody_seq;
};

struct pairs {
	struct worker *worker; /* borrowed */
	uint32_t n;
	uint32_t next;	     /* where the search for one that rests begins */
	struct pair pairs[]; /* of clients 2 i and 2 i + 1 of the worker */
};

struct pairs *pairs_new(struct worker *worker)
{
	const uint32_t n = worker->clients_n / 2;
	struct pairs *pairs;

	if (n == 0) {
		worker_fail(worker, "%s needs two connections in each worker",
			    worker->scenario->name);
		return NULL;
	}
	pairs = mem_zalloc(sizeof(*pairs) + n * sizeof(struct pair));
	pairs->worker = worker;
	pairs->n = n;
	return pairs;
}

void pairs_free(struct pairs *pairs)
{
	mem_free(pairs);
}

static struct client *joiner_of(const struct pairs *pairs, uint32_t at)
{
	return &pairs->worker->clients[2 * at];
}

static struct client *sender_of(const struct pairs *pairs, uint32_t at)
{
	return &pairs->worker->clients[2 * at + 1];
}

/* Says the step's word in its group; the pair waits for the answer. */
static void step_take(struct pairs *pairs, uint32_t at, enum step step, int64_t due_us)
{
	struct pair *pair = &pairs->pairs[at];
	const uint32_t joiner = joiner_of(pairs, at)->index;
	const bool is_send = step == STEP_SEND || step == STEP_SEND_NOBODY;
	struct client *client = is_send ? sender_of(pairs, at) : joiner_of(pairs, at);
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = is_send	     ? VERB_SEND_GROUP
					 : step == STEP_JOIN ? VERB_JOIN
							     : VERB_LEAVE,
				 .name = group_name(name, PAIR_GROUP_FIRST + joiner) };

	if (step == STEP_SEND)
		saying.payload = worker_payload(client, target_make(TARGET_PAIR, joiner),
						&pair->pair_seq, due_us);
	if (step == STEP_SEND_NOBODY)
		saying.payload =
			worker_payload(client, target_make(TARGET_NOBODY, joiner),
				       &pair->nobody_seq, due_us);
	pair->step = step;
	pair->number = client->calls;
	(void)scenario_say(client, &saying, due_us); /* or the run has failed */
}

static bool can_begin(const struct pairs *pairs, uint32_t at)
{
	return pairs->pairs[at].step == STEP_REST &&
	       joiner_of(pairs, at)->state == CLIENT_READY &&
	       sender_of(pairs, at)->state == CLIENT_READY;
}

bool pairs_begin(struct pairs *pairs, int64_t due_us)
{
	for (uint32_t i = 0; i < pairs->n; i++) {
		const uint32_t at = pairs->next;

		pairs->next = (pairs->next + 1) % pairs->n;
		if (!can_begin(pairs, at))
			continue;
		step_take(pairs, at, STEP_JOIN, due_us);
		return true;
	}
	return false;
}

static enum step step_after(enum step step)
{
	switch (step) {
	case STEP_JOIN:
		return STEP_SEND;
	case STEP_SEND:
		return STEP_LEAVE;
	case STEP_LEAVE:
		return STEP_SEND_NOBODY;
	case STEP_REST:
	case STEP_SEND_NOBODY:
		break;
	}
	return STEP_REST;
}

/* Whether the pair waits for the answer to that invocation of that client. */
static bool is_awaited(const struct pairs *pairs, uint32_t at,
		       const struct client *client, uint32_t number)
{
	const struct pair *pair = &pairs->pairs[at];
	const bool is_send = pair->step == STEP_SEND || pair->step == STEP_SEND_NOBODY;

	return pair->step != STEP_REST && pair->number == number &&
	       client == (is_send ? sender_of(pairs, at) : joiner_of(pairs, at));
}

/* After an error nobody knows who is in the group: the next round begins with a join,
 * which is the same twice as once. */
void pairs_on_answer(struct pairs *pairs, struct client *client, uint32_t number,
		     bool is_error)
{
	const uint32_t at = (client->index - pairs->worker->first) / 2;
	enum step next;

	if (at >= pairs->n || !is_awaited(pairs, at, client, number))
		return;
	next = is_error ? STEP_REST : step_after(pairs->pairs[at].step);
	pairs->pairs[at].step = STEP_REST;
	if (next != STEP_REST && joiner_of(pairs, at)->state == CLIENT_READY &&
	    sender_of(pairs, at)->state == CLIENT_READY)
		step_take(pairs, at, next, loop_clock_us());
}

uint32_t pairs_receivers(uint32_t target, uint32_t first, uint32_t n)
{
	if (target_kind(target) != TARGET_PAIR)
		return 0;
	return range_has(target_number(target), first, n);
}

bool pairs_is_receiver(uint32_t client, uint32_t target)
{
	return target_kind(target) == TARGET_PAIR && target_number(target) == client;
}

/* ---- the scenario */

static bool join_init(struct worker *worker)
{
	worker->scenario_state = pairs_new(worker);
	return worker->scenario_state != NULL;
}

static void join_fini(struct worker *worker)
{
	pairs_free(worker->scenario_state);
	worker->scenario_state = NULL;
}

static bool join_on_due(struct worker *worker, int64_t due_us)
{
	return pairs_begin(worker->scenario_state, due_us);
}

static void join_on_answer(struct client *client, uint32_t number, struct slice result,
			   bool is_error)
{
	(void)result;
	pairs_on_answer(client->worker->scenario_state, client, number, is_error);
}

static uint32_t join_receivers(const struct bench_conf *conf, uint32_t sender,
			       uint32_t target, uint32_t first, uint32_t n)
{
	(void)conf;
	(void)sender;
	return pairs_receivers(target, first, n);
}

static bool join_is_receiver(const struct bench_conf *conf, uint32_t client,
			     uint32_t sender, uint32_t target)
{
	(void)conf;
	(void)sender;
	return pairs_is_receiver(client, target);
}

const struct scenario scenario_join_leave = {
	.name = "join-leave",
	.help = "One of a pair joins, is sent to, leaves, and must not be sent to any "
		"more.",
	.rate = "rounds/s",
	.needs_results = true,
	.init = join_init,
	.fini = join_fini,
	.on_due = join_on_due,
	.on_answer = join_on_answer,
	.receivers = join_receivers,
	.is_receiver = join_is_receiver,
};
