/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of messages that need no groups: to oneself, to all, to a user, to a
 * connection.
 */
#include "bench/scenario_send.h"
#include "bench/scenario_groups.h"
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"

/* ---- echo */

/* A protocol without results sends the same message back, which comes as any other. */
bool echo_send(struct client *client, uint32_t *seq, int64_t due_us)
{
	const bool has_results = client->worker->dialect->has_results;
	struct saying saying = { .verb = VERB_ECHO };

	saying.payload = worker_payload(client, target_make(TARGET_ECHO, 0), seq, due_us);
	return scenario_say(client, &saying, has_results ? due_us : -1);
}

static bool echo_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);

	return client != NULL && echo_send(client, &client->seq, due_us);
}

static uint32_t echo_receivers(const struct bench_conf *conf, uint32_t sender,
			       uint32_t target, uint32_t first, uint32_t n)
{
	(void)conf;
	(void)target;
	return range_has(sender, first, n);
}

static bool echo_is_receiver(const struct bench_conf *conf, uint32_t client,
			     uint32_t sender, uint32_t target)
{
	(void)conf;
	return client == sender && target_kind(target) == TARGET_ECHO;
}

const struct scenario scenario_echo = {
	.name = "echo",
	.help = "A client invokes a method that returns its argument.",
	.rate = "messages/s",
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = echo_on_due,
	.on_answer = scenario_on_echo,
	.receivers = echo_receivers,
	.is_receiver = echo_is_receiver,
};

/* ---- broadcast */

static bool broadcast_init(struct worker *worker)
{
	return senders_state_init_some(worker, UINT32_MAX, SENDERS_MAX);
}

static bool broadcast_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);
	struct saying saying = { .verb = VERB_BROADCAST };

	return client != NULL &&
	       scenario_send(client, &saying, target_make(TARGET_ALL, 0), &client->seq,
			     due_us);
}

const struct scenario scenario_broadcast = {
	.name = "broadcast",
	.help = "A few clients of each worker send to all connections.",
	.rate = "messages/s",
	.init = broadcast_init,
	.fini = senders_state_fini,
	.on_due = broadcast_on_due,
	.receivers = receivers_all,
};

/* ---- send-to-user */

static bool user_init(struct worker *worker)
{
	return scenario_needs_tokens(worker) && senders_state_init(worker);
}

/* Each to the user after its own, so that the ledger has one row a receiver and sender.
 */
bool user_send(struct client *client, uint32_t *seq, int64_t due_us)
{
	const struct bench_conf *conf = client->worker->conf;
	const uint32_t user = (users_of(conf, client->index) + 1) % users_n(conf);
	char name[NUMBERED_BYTES];
	struct saying saying = { .verb = VERB_SEND_USER, .name = user_name(name, user) };

	return scenario_send(client, &saying, target_make(TARGET_USER, user), seq,
			     due_us);
}

static bool user_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);

	return client != NULL && user_send(client, &client->seq, due_us);
}

static uint32_t user_receivers(const struct bench_conf *conf, uint32_t sender,
			       uint32_t target, uint32_t first, uint32_t n)
{
	(void)sender;
	return users_connections(conf, target_number(target), first, n);
}

static bool user_is_receiver(const struct bench_conf *conf, uint32_t client,
			     uint32_t sender, uint32_t target)
{
	(void)sender;
	return target_kind(target) == TARGET_USER &&
	       users_of(conf, client) == target_number(target);
}

const struct scenario scenario_user = {
	.name = "send-to-user",
	.help = "A client sends to all connections of the user after its own.",
	.rate = "messages/s",
	.init = user_init,
	.fini = senders_state_fini,
	.on_due = user_on_due,
	.receivers = user_receivers,
	.is_receiver = user_is_receiver,
};

/* ---- send-to-connection */

/* Ids do not travel between workers. */
struct client *connection_after(struct client *client)
{
	struct worker *worker = client->worker;
	const uint32_t at = client->index - worker->first;

	return &worker->clients[(at + 1) % worker->clients_n];
}

static bool connection_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);
	struct saying saying = { .verb = VERB_SEND_CONNECTION };
	struct client *after;

	if (client == NULL)
		return false;
	after = connection_after(client);
	if (after->state != CLIENT_READY || after->connection_id == NULL)
		return false;
	saying.name = slice_from_str(after->connection_id);
	return scenario_send(client, &saying,
			     target_make(TARGET_CONNECTION, after->index), &client->seq,
			     due_us);
}

uint32_t connection_receivers(const struct bench_conf *conf, uint32_t sender,
			      uint32_t target, uint32_t first, uint32_t n)
{
	(void)conf;
	(void)sender;
	return range_has(target_number(target), first, n);
}

bool connection_is_receiver(const struct bench_conf *conf, uint32_t client,
			    uint32_t sender, uint32_t target)
{
	(void)conf;
	(void)sender;
	return target_kind(target) == TARGET_CONNECTION &&
	       target_number(target) == client;
}

const struct scenario scenario_connection = {
	.name = "send-to-connection",
	.help = "A client sends to the connection after its own of the same worker.",
	.rate = "messages/s",
	.needs_ids = true,
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = connection_on_due,
	.receivers = connection_receivers,
	.is_receiver = connection_is_receiver,
};
