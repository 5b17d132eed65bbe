/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario_parts.h"

#include <assert.h>

#include "bench/dice.h"
#include "bench/scenario_groups.h"
#include "proto/base/mem.h"

#define PICK_TRIES 8

void senders_init(struct senders *senders, const struct worker *worker, uint32_t block,
		  uint32_t per_block)
{
	uint32_t in_block = 0;

	assert(block > 0);
	assert(per_block > 0);
	senders->dice = (uint64_t)worker->conf->seed + worker->number;
	senders->clients = mem_alloc(worker->clients_n * sizeof(uint32_t));
	senders->n = 0;
	for (uint32_t i = worker->first; i < worker->first + worker->clients_n; i++) {
		if (i % block == 0)
			in_block = 0;
		if (in_block++ < per_block)
			senders->clients[senders->n++] = i;
	}
}

void senders_fini(struct senders *senders)
{
	mem_free(senders->clients);
	senders->clients = NULL;
}

struct client *senders_pick(struct senders *senders, struct worker *worker)
{
	for (int i = 0; i < PICK_TRIES && senders->n > 0; i++) {
		const uint32_t at = dice_below(&senders->dice, senders->n);
		struct client *client = worker_client(worker, senders->clients[at]);

		if (client->state == CLIENT_READY)
			return client;
	}
	return NULL;
}

bool senders_state_init_some(struct worker *worker, uint32_t block, uint32_t per_block)
{
	struct senders *senders = MEM_NEW(struct senders);

	senders_init(senders, worker, block, per_block);
	worker->scenario_state = senders;
	return true;
}

bool senders_state_init(struct worker *worker)
{
	return senders_state_init_some(worker, 1, 1);
}

void senders_state_fini(struct worker *worker)
{
	struct senders *senders = worker->scenario_state;

	if (senders == NULL)
		return;
	senders_fini(senders);
	mem_free(senders);
	worker->scenario_state = NULL;
}

bool scenario_say(struct client *client, struct saying *saying, int64_t due_us)
{
	struct worker *worker = client->worker;
	const enum err rc = client_say(client, saying, due_us);

	if (rc == OK)
		return true;
	worker_fail(worker, "%s cannot be done with protocol %s (%s)",
		    worker->scenario->name, worker->dialect->name, err_name(rc));
	return false;
}

bool scenario_send(struct client *client, struct saying *saying, uint32_t target,
		   uint32_t *seq, int64_t due_us)
{
	saying->payload = worker_payload(client, target, seq, due_us);
	return scenario_say(client, saying, -1);
}

/* ---- groups */

void scenario_join(struct client *client, uint32_t group)
{
	const bool has_results = client->worker->dialect->has_results;
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = VERB_JOIN, .name = group_name(name, group) };

	if (scenario_say(client, &saying, has_results ? loop_clock_us() : -1) &&
	    !has_results)
		worker_set_up_done(client);
}

bool scenario_joined(struct client *client, bool is_error)
{
	struct worker *worker = client->worker;

	if (worker->phase != PHASE_SET_UP)
		return false;
	if (is_error)
		worker_fail(worker, "client %u could not join its group", client->index);
	else
		worker_set_up_done(client);
	return true;
}

uint32_t receivers_all(const struct bench_conf *conf, uint32_t sender, uint32_t target,
		       uint32_t first, uint32_t n)
{
	(void)conf;
	(void)sender;
	(void)target;
	(void)first;
	return n;
}

/* ---- answers */

void scenario_on_echo(struct client *client, uint32_t number, struct slice result,
		      bool is_error)
{
	(void)number; /* the payload has a number of its own */
	if (!is_error)
		worker_on_message(client, result);
}

/* ---- options */

bool scenario_needs_tokens(struct worker *worker)
{
	const struct bench_conf *conf = worker->conf;

	if (conf->dev_tokens || (conf->token_key != NULL && conf->token_key[0] != '\0'))
		return true;
	worker_fail(worker, "%s needs users: --token_key=... or --dev_tokens=on",
		    worker->scenario->name);
	return false;
}
