/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client-results: a client asks another of the same worker, by way of the server, and
 * gets its answer. What is timed is question and answer, each its way through the server
 * twice.
 */
#include "bench/scenario_list.h"
#include "bench/scenario_parts.h"
#include "bench/scenario_send.h"

static bool ask_on_due(struct worker *worker, int64_t due_us)
{
	struct client *client = senders_pick(worker->scenario_state, worker);
	struct saying saying = { .verb = VERB_ASK };
	struct client *asked;

	if (client == NULL)
		return false;
	asked = connection_after(client);
	if (asked->state != CLIENT_READY || asked->connection_id == NULL)
		return false;
	saying.name = slice_from_str(asked->connection_id);
	saying.payload =
		worker_payload(client, target_make(TARGET_CONNECTION, asked->index),
			       &client->seq, due_us);
	return scenario_say(client, &saying, due_us);
}

static void ask_on_question(struct client *client, struct slice id, struct slice payload)
{
	struct saying saying = { .verb = VERB_ANSWER, .id = id, .payload = payload };

	worker_on_message(client, payload);
	(void)scenario_say(client, &saying, -1); /* or the run has failed */
}

/* The answer is the question: it must be one's own, and the very one, since a client
 * invokes nothing else and counts both. */
static void ask_on_answer(struct client *client, uint32_t number, struct slice result,
			  bool is_error)
{
	struct stats *stats = client->worker->stats;
	struct payload payload;

	if (is_error)
		return;
	if (result.len != (size_t)client->worker->conf->size ||
	    payload_read(result, &payload) != OK)
		stats->malformed++;
	else if (payload.sender != client->index || payload.seq != number + 1)
		stats->strangers++;
}

const struct scenario scenario_ask = {
	.name = "client-results",
	.help = "A client asks the next one of its worker and gets its answer.",
	.rate = "questions/s",
	.needs_ids = true,
	.needs_results = true,
	.init = senders_state_init,
	.fini = senders_state_fini,
	.on_due = ask_on_due,
	.on_answer = ask_on_answer,
	.on_question = ask_on_question,
	.receivers = connection_receivers,
	.is_receiver = connection_is_receiver,
};
