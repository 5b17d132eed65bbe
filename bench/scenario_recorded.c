/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorded: members send to their group and await each answer; all that they do and hear
 * is written down (--history) for the checker, who judges what faults did to it. A client
 * that is cut off comes back, joins again, and goes on, however often.
 */
#include "bench/history.h"
#include "bench/scenario_group.h"
#include "bench/scenario_groups.h"
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"
#include "proto/base/mem.h"

#define PICK_TRIES 8
#define REJOIN_MS 250

struct recorded_client {
	uint32_t life;	/* its connections so far */
	uint32_t group; /* that it was in, or is joining */
	uint32_t calls; /* invocations that were no sends, of all its connections */
	int64_t called_us;
	bool is_open;
	bool is_in; /* the join was answered */
};

struct recorded {
	struct senders senders;
	struct history *history;	 /* owned */
	struct recorded_client *clients; /* owned; the worker's, in their order */
};

static struct recorded_client *recorded_of(const struct client *client)
{
	const struct recorded *recorded = client->worker->scenario_state;

	return &recorded->clients[client->index - client->worker->first];
}

static struct history *history_of(const struct client *client)
{
	const struct recorded *recorded = client->worker->scenario_state;

	return recorded->history;
}

static struct history_who who_of(const struct client *client)
{
	return (struct history_who){ client->index, recorded_of(client)->life };
}

static bool recorded_init(struct worker *worker)
{
	struct recorded *recorded;
	struct history *history;

	history = history_new(worker->conf->history, worker->number);
	if (history == NULL) {
		worker_fail(worker, "history: %s.%u: %s", worker->conf->history,
			    worker->number, err_errno_text());
		return false;
	}
	recorded = MEM_NEW(struct recorded);
	recorded->history = history;
	recorded->clients =
		mem_zalloc(worker->clients_n * sizeof(struct recorded_client));
	group_senders_init(&recorded->senders, worker);
	worker->scenario_state = recorded;
	return true;
}

static void recorded_fini(struct worker *worker)
{
	struct recorded *recorded = worker->scenario_state;

	if (recorded == NULL)
		return;
	if (history_free(recorded->history) != OK)
		worker_fail(worker, "history: not all could be written");
	senders_fini(&recorded->senders);
	mem_free(recorded->clients);
	mem_free(recorded);
	worker->scenario_state = NULL;
}

/* ---- connections */

static void recorded_on_ready(struct client *client)
{
	struct recorded_client *mine = recorded_of(client);
	const struct bench_conf *conf = client->worker->conf;
	const bool has_user = conf->dev_tokens ||
			      (conf->token_key != NULL && conf->token_key[0] != '\0');
	char name[NUMBERED_BYTES];

	mine->life++;
	mine->is_open = true;
	mine->is_in = false;
	history_opened(history_of(client), who_of(client), client->began_us,
		       has_user ? user_name(name, users_of(conf, client->index))
				: SLICE_NONE);
}

static void end(struct client *client, enum history_end how, const char *why)
{
	struct recorded_client *mine = recorded_of(client);

	if (!mine->is_open)
		return;
	mine->is_open = false;
	mine->is_in = false;
	history_ended(history_of(client), who_of(client), how, why);
}

static void recorded_on_end(struct client *client, const char *why)
{
	end(client, HISTORY_LOST, why);
}

static void recorded_on_over(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->clients_n; i++)
		end(&worker->clients[i], HISTORY_OWN, "");
}

/* ---- joins */

static void recorded_set_up(struct client *client)
{
	struct recorded_client *mine = recorded_of(client);

	mine->group = groups_of(client->worker->conf, client->index);
	mine->called_us = loop_clock_us();
	scenario_join(client, mine->group);
}

/* A join that failed is begun anew with the next connection, a moment later. */
static void on_joined(struct client *client, bool is_error)
{
	struct recorded_client *mine = recorded_of(client);

	history_joined(history_of(client), who_of(client), mine->group, mine->called_us,
		       !is_error);
	worker_set_up_done(client);
	if (is_error) {
		end(client, HISTORY_LEFT, "the join failed");
		worker_close(client);
		client->is_returning = true;
		client_open_later(client, REJOIN_MS);
		return;
	}
	mine->is_in = true;
	mine->calls = client->calls - client->seq;
}

/* ---- messages */

static struct client *pick(struct worker *worker)
{
	struct recorded *recorded = worker->scenario_state;

	for (int i = 0; i < PICK_TRIES; i++) {
		struct client *client = senders_pick(&recorded->senders, worker);

		if (client != NULL && recorded_of(client)->is_in)
			return client;
	}
	return NULL;
}

static bool recorded_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = pick(worker);
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = VERB_SEND_GROUP };
	uint32_t group;

	if (client == NULL)
		return false;
	group = recorded_of(client)->group;
	saying.name = group_name(name, group);
	saying.payload = worker_payload(client, target_make(TARGET_GROUP, group),
					&client->seq, due_us);
	history_sent(history_of(client), who_of(client), group, client->seq);
	return scenario_say(client, &saying, due_us);
}

/* All invocations but the join are sends, in the order of their numbers. An error may
 * have come after the group had it: unknown. */
static void recorded_on_answer(struct client *client, uint32_t number,
			       struct slice result, bool is_error)
{
	const struct recorded_client *mine = recorded_of(client);

	(void)result;
	if (!mine->is_in)
		on_joined(client, is_error);
	else
		history_completed(history_of(client), client->index, mine->group,
				  number + 1 - mine->calls, !is_error);
}

static void recorded_on_heard(struct client *client, const struct payload *payload)
{
	history_received(history_of(client), who_of(client), payload->sender,
			 target_number(payload->target), payload->seq);
}

const struct scenario scenario_recorded = {
	.name = "recorded",
	.help = "As send-to-group with answers; --history has all of it for the checker.",
	.rate = "messages/s",
	.needs_results = true,
	.is_persistent = true,
	.init = recorded_init,
	.fini = recorded_fini,
	.set_up = recorded_set_up,
	.on_due = recorded_on_due,
	.on_ready = recorded_on_ready,
	.on_end = recorded_on_end,
	.on_over = recorded_on_over,
	.on_answer = recorded_on_answer,
	.on_heard = recorded_on_heard,
	.receivers = group_receivers,
	.is_receiver = group_is_receiver,
};
