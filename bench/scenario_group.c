/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-to-group: every client is in one group, and members send to it.
 */
#include "bench/scenario_group.h"

#include "bench/scenario_groups.h"
#include "bench/scenario_list.h"

void group_senders_init(struct senders *senders, const struct worker *worker)
{
	senders_init(senders, worker, groups_size(worker->conf), SENDERS_MAX);
}

static bool group_init(struct worker *worker)
{
	return senders_state_init_some(worker, groups_size(worker->conf), SENDERS_MAX);
}

void group_set_up(struct client *client)
{
	scenario_join(client, groups_of(client->worker->conf, client->index));
}

bool group_send(struct client *client, uint32_t *seq, int64_t due_us)
{
	const uint32_t group = groups_of(client->worker->conf, client->index);
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = VERB_SEND_GROUP,
				 .name = group_name(name, group) };

	return scenario_send(client, &saying, target_make(TARGET_GROUP, group), seq,
			     due_us);
}

static bool group_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);

	return client != NULL && group_send(client, &client->seq, due_us);
}

static void group_on_answer(struct client *client, uint32_t number, struct slice result,
			    bool is_error)
{
	(void)number;
	(void)result;
	(void)scenario_joined(client, is_error); /* nothing else is invoked */
}

uint32_t group_receivers(const struct bench_conf *conf, uint32_t sender, uint32_t target,
			 uint32_t first, uint32_t n)
{
	(void)sender;
	return groups_members(conf, target_number(target), first, n);
}

bool group_is_receiver(const struct bench_conf *conf, uint32_t client, uint32_t sender,
		       uint32_t target)
{
	(void)sender;
	return target_kind(target) == TARGET_GROUP &&
	       groups_of(conf, client) == target_number(target);
}

const struct scenario scenario_group = {
	.name = "send-to-group",
	.help = "Members send to their group; --groups of --group_size.",
	.rate = "messages/s",
	.init = group_init,
	.fini = senders_state_fini,
	.set_up = group_set_up,
	.on_due = group_on_due,
	.on_answer = group_on_answer,
	.receivers = group_receivers,
	.is_receiver = group_is_receiver,
};
