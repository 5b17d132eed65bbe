/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mixed: what an application does, by chance: 70 % sends to groups, 15 % echoes, 10 %
 * sends to users, 5 % rounds of joining and leaving. Every client is in a group, has a
 * user and is one of a pair.
 */
#include "bench/dice.h"
#include "bench/scenario_group.h"
#include "bench/scenario_groups.h"
#include "bench/scenario_join.h"
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"
#include "bench/scenario_send.h"
#include "proto/base/mem.h"

#define GROUP_PERCENT 70
#define ECHO_PERCENT 15
#define USER_PERCENT 10

/* What a client has sent, to each of its targets. */
struct mixed_seqs {
	uint32_t group;
	uint32_t echo;
	uint32_t user;
};

struct mixed {
	struct senders all;
	struct senders groups;
	struct pairs *pairs;	 /* owned */
	struct mixed_seqs *seqs; /* owned; of the worker's clients */
};

static void mixed_fini(struct worker *worker)
{
	struct mixed *mixed = worker->scenario_state;

	if (mixed == NULL)
		return;
	senders_fini(&mixed->all);
	senders_fini(&mixed->groups);
	pairs_free(mixed->pairs);
	mem_free(mixed->seqs);
	mem_free(mixed);
	worker->scenario_state = NULL;
}

static bool mixed_init(struct worker *worker)
{
	struct pairs *pairs;
	struct mixed *mixed;

	if (!scenario_needs_tokens(worker))
		return false;
	pairs = pairs_new(worker);
	if (pairs == NULL)
		return false;
	mixed = MEM_NEW(struct mixed);
	senders_init(&mixed->all, worker, 1, 1);
	group_senders_init(&mixed->groups, worker);
	mixed->pairs = pairs;
	mixed->seqs = mem_zalloc(worker->clients_n * sizeof(struct mixed_seqs));
	worker->scenario_state = mixed;
	return true;
}

static struct mixed_seqs *seqs_of(const struct client *client)
{
	const struct mixed *mixed = client->worker->scenario_state;

	return &mixed->seqs[client->index - client->worker->first];
}

static bool mixed_on_due(struct worker *worker, int64_t due_us)
{
	struct mixed *mixed = worker->scenario_state;
	const uint32_t chance = dice_below(&mixed->all.dice, 100);
	struct client *client;

	if (chance < GROUP_PERCENT) {
		client = senders_pick(&mixed->groups, worker);
		return client != NULL &&
		       group_send(client, &seqs_of(client)->group, due_us);
	}
	if (chance >= GROUP_PERCENT + ECHO_PERCENT + USER_PERCENT)
		return pairs_begin(mixed->pairs, due_us);
	client = senders_pick(&mixed->all, worker);
	if (client == NULL)
		return false;
	if (chance < GROUP_PERCENT + ECHO_PERCENT)
		return echo_send(client, &seqs_of(client)->echo, due_us);
	return user_send(client, &seqs_of(client)->user, due_us);
}

/* Only echoes have results; to one that failed no pair waits. */
static void mixed_on_answer(struct client *client, uint32_t number, struct slice result,
			    bool is_error)
{
	struct mixed *mixed = client->worker->scenario_state;

	if (scenario_joined(client, is_error))
		return;
	if (result.len > 0 && !is_error)
		worker_on_message(client, result);
	else
		pairs_on_answer(mixed->pairs, client, number, is_error);
}

static uint32_t mixed_receivers(const struct bench_conf *conf, uint32_t sender,
				uint32_t target, uint32_t first, uint32_t n)
{
	const enum target_kind kind = target_kind(target);

	if (kind == TARGET_GROUP)
		return group_receivers(conf, sender, target, first, n);
	if (kind == TARGET_ECHO)
		return scenario_echo.receivers(conf, sender, target, first, n);
	if (kind == TARGET_USER)
		return scenario_user.receivers(conf, sender, target, first, n);
	return pairs_receivers(target, first, n);
}

static bool mixed_is_receiver(const struct bench_conf *conf, uint32_t client,
			      uint32_t sender, uint32_t target)
{
	return group_is_receiver(conf, client, sender, target) ||
	       scenario_echo.is_receiver(conf, client, sender, target) ||
	       scenario_user.is_receiver(conf, client, sender, target) ||
	       pairs_is_receiver(client, target);
}

const struct scenario scenario_mixed = {
	.name = "mixed",
	.help = "By chance 70 % send-to-group, 15 % echo, 10 % send-to-user, 5 % "
		"join-leave.",
	.rate = "messages/s",
	.needs_results = true,
	.init = mixed_init,
	.fini = mixed_fini,
	.set_up = group_set_up,
	.on_due = mixed_on_due,
	.on_answer = mixed_on_answer,
	.receivers = mixed_receivers,
	.is_receiver = mixed_is_receiver,
};
