/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group-beside-broadcast: small groups are measured while one big group gets message
 * after message. The first groups x group_size clients are in the small groups, all
 * others in the big one, the ground, whose number is the one after the last small
 * group's. The last client of all sends to it, the next message as soon as the one before
 * is confirmed and has reached the members that its own worker holds.
 */
#include "bench/scenario_group.h"
#include "bench/scenario_groups.h"
#include "bench/scenario_list.h"
#include "proto/base/mem.h"

struct beside {
	struct senders small;
	struct client *ground; /* borrowed: who sends to the ground; NULL: not here */
	uint32_t ground_seq;
	uint32_t here_n;   /* members of the ground that this worker holds */
	uint32_t missing;  /* of them, for the message that is on the way */
	uint32_t number;   /* of the invocation that sent that message */
	bool is_confirmed; /* by its answer */
};

static uint32_t small_n(const struct bench_conf *conf)
{
	return (uint32_t)(conf->groups * conf->group_size);
}

static uint32_t ground_target(const struct bench_conf *conf)
{
	return target_make(TARGET_GROUND, (uint32_t)conf->groups);
}

/* Members of the ground below `end`, which are all that are not in a small group. */
static uint32_t ground_below(const struct bench_conf *conf, uint32_t end)
{
	return end > small_n(conf) ? end - small_n(conf) : 0;
}

static uint32_t ground_members(const struct bench_conf *conf, uint32_t first, uint32_t n)
{
	return ground_below(conf, first + n) - ground_below(conf, first);
}

/* In a closed loop, or with a window, the ground's messages would hold back the others.
 */
static bool beside_is_paced(struct worker *worker)
{
	const struct bench_conf *conf = worker->conf;
	const bool has_search = conf->search != NULL && conf->search[0] != '\0';

	if ((conf->rate > 0 || has_search) && conf->in_flight == 0)
		return true;
	worker_fail(worker, "%s needs a --rate, and no --in_flight",
		    worker->scenario->name);
	return false;
}

static bool beside_fits(struct worker *worker)
{
	const struct bench_conf *conf = worker->conf;

	if (!beside_is_paced(worker))
		return false;
	if (conf->group_size > 0 && conf->groups * conf->group_size < conf->connections)
		return true;
	worker_fail(worker,
		    "%s needs --group_size, and more --connections than the members of "
		    "all groups: the others are the big group",
		    worker->scenario->name);
	return false;
}

/* Of the small groups alone: what is behind them is no block of senders. */
static void small_senders_init(struct beside *beside, const struct worker *worker)
{
	const uint32_t end = small_n(worker->conf);

	group_senders_init(&beside->small, worker);
	while (beside->small.n > 0 && beside->small.clients[beside->small.n - 1] >= end)
		beside->small.n--;
}

static bool beside_init(struct worker *worker)
{
	struct beside *beside;

	if (!beside_fits(worker))
		return false;
	beside = MEM_NEW(struct beside);
	small_senders_init(beside, worker);
	beside->ground = worker_client(worker, (uint32_t)worker->conf->connections - 1);
	beside->here_n = ground_members(worker->conf, worker->first, worker->clients_n);
	beside->is_confirmed = true;
	worker->scenario_state = beside;
	return true;
}

static void beside_fini(struct worker *worker)
{
	struct beside *beside = worker->scenario_state;

	if (beside == NULL)
		return;
	senders_fini(&beside->small);
	mem_free(beside);
	worker->scenario_state = NULL;
}

static void beside_set_up(struct client *client)
{
	const struct bench_conf *conf = client->worker->conf;

	if (client->index < small_n(conf))
		group_set_up(client);
	else
		scenario_join(client, (uint32_t)conf->groups);
}

/* ---- the ground */

static bool is_running(const struct worker *worker)
{
	return (worker->phase == PHASE_WARM_UP || worker->phase == PHASE_MEASURE) &&
	       worker->rate_milli != STATS_RATE_PAUSED;
}

static void ground_send(struct worker *worker)
{
	struct beside *beside = worker->scenario_state;
	struct client *client = beside->ground;
	const bool has_results = worker->dialect->has_results;
	const int64_t now_us = loop_clock_us();
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = VERB_SEND_GROUP };

	saying.name = group_name(name, (uint32_t)worker->conf->groups);
	saying.payload = worker_payload(client, ground_target(worker->conf),
					&beside->ground_seq, now_us);
	beside->missing = beside->here_n;
	beside->is_confirmed = !has_results;
	beside->number = client->calls;
	(void)scenario_say(client, &saying, has_results ? now_us : -1); /* or it failed */
}

static void ground_continue(struct worker *worker)
{
	const struct beside *beside = worker->scenario_state;

	if (beside->ground != NULL && beside->missing == 0 && beside->is_confirmed &&
	    is_running(worker) && beside->ground->state == CLIENT_READY)
		ground_send(worker);
}

/* ---- events */

static bool beside_on_due(struct worker *worker, int64_t due_us)
{
	struct beside *beside = worker->scenario_state;
	struct client *client;

	ground_continue(worker); /* the first one, or the first after a pause */
	client = senders_pick(&beside->small, worker);
	return client != NULL && group_send(client, &client->seq, due_us);
}

static void beside_on_message(struct client *client, const struct payload *payload)
{
	struct beside *beside = client->worker->scenario_state;

	if (target_kind(payload->target) != TARGET_GROUND || beside->missing == 0 ||
	    payload->seq != beside->ground_seq)
		return;
	beside->missing--;
	ground_continue(client->worker);
}

static void beside_on_answer(struct client *client, uint32_t number, struct slice result,
			     bool is_error)
{
	struct beside *beside = client->worker->scenario_state;

	(void)result;
	if (scenario_joined(client, is_error) || client != beside->ground ||
	    number != beside->number)
		return;
	beside->is_confirmed = true;
	ground_continue(client->worker);
}

static uint32_t beside_receivers(const struct bench_conf *conf, uint32_t sender,
				 uint32_t target, uint32_t first, uint32_t n)
{
	const uint32_t end = small_n(conf);

	if (target_kind(target) == TARGET_GROUND)
		return ground_members(conf, first, n);
	if (first >= end)
		return 0;
	return group_receivers(conf, sender, target, first,
			       n < end - first ? n : end - first);
}

static bool beside_is_receiver(const struct bench_conf *conf, uint32_t client,
			       uint32_t sender, uint32_t target)
{
	if (target == ground_target(conf))
		return client >= small_n(conf);
	return client < small_n(conf) && group_is_receiver(conf, client, sender, target);
}

const struct scenario scenario_beside = {
	.name = "group-beside-broadcast",
	.help = "As send-to-group, while all further connections get message after "
		"message.",
	.rate = "messages/s",
	.init = beside_init,
	.fini = beside_fini,
	.set_up = beside_set_up,
	.on_due = beside_on_due,
	.on_message = beside_on_message,
	.on_answer = beside_on_answer,
	.receivers = beside_receivers,
	.is_receiver = beside_is_receiver,
};
